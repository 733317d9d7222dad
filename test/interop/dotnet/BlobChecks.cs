using System.Security.Cryptography;
using System.Text;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Interop;

/// <summary>Blobs in a container with a locked policy, as an identity sees them that may do everything, and as others do.</summary>
public sealed class BlobChecks(Checks checks, CloudFile cloud, Control control)
{
    private const string Prefix = "v1/net/";
    private static readonly BinaryData Body = BinaryData.FromString("sealed");

    private readonly BlobContainerClient container = Container(cloud, "user");

    public async Task Run()
    {
        await checks.Run("blobs: the container shows its policy", ShowsPolicy);
        await checks.Run("blobs: uploads with metadata and content type, and downloads", Uploads);
        await checks.Run("blobs: refuses overwriting with BlobImmutableDueToPolicy", RefusesOverwriting);
        await checks.Run("blobs: refuses a taken name with BlobAlreadyExists where only a new one is wanted", RefusesTaken);
        await checks.Run("blobs: refuses deletion and new metadata with BlobImmutableDueToPolicy", RefusesDeletion);
        await checks.Run("blobs: lists with metadata, by prefix and in pages", Lists);
        await checks.Run("blobs: tells 404 BlobNotFound", () =>
            Expect.Refused(404, "BlobNotFound", () => container.GetBlobClient("v1/net/none").DownloadContentAsync()));
        await checks.Run("blobs: another identity gets AuthorizationPermissionMismatch", OtherIdentity);
        await checks.Run("blobs: an identity that may only add creates and does not overwrite", AddsOnly);
        await checks.Run("blobs: a token of another audience is refused", WrongAudience);
        await checks.Run("blobs: retries 503 by itself", Busy);
    }

    private static BlobContainerClient Container(CloudFile cloud, string job, string audience = "blob") =>
        new BlobServiceClient(cloud.BlobService, cloud.Credential(job, audience), new BlobClientOptions
        {
            Transport = new HttpClientTransport(cloud.Handler()),
        }).GetBlobContainerClient(cloud.Container);

    private static BlobUploadOptions NewOnly() => new() { Conditions = new() { IfNoneMatch = Azure.ETag.All } };

    private BlobClient Blob(string name) => container.GetBlobClient(Prefix + name);

    private async Task<BlobClient> Uploaded(string name)
    {
        var blob = Blob(name);
        await blob.UploadAsync(Body);
        return blob;
    }

    private async Task ShowsPolicy()
    {
        BlobContainerProperties properties = await container.GetPropertiesAsync();
        Expect.Equal(properties.HasImmutabilityPolicy, true, "has a policy");
        Expect.Equal(properties.HasLegalHold, false, "has a legal hold");
        Expect.Equal(properties.HasImmutableStorageWithVersioning, false, "has versions");
    }

    private async Task Uploads()
    {
        var blob = Blob("uploaded");
        var options = NewOnly();
        options.Metadata = new Dictionary<string, string> { ["origin"] = "live", ["attempt"] = "1" };
        options.HttpHeaders = new() { ContentType = "application/jose+json" };
        await blob.UploadAsync(Body, options);
        BlobDownloadResult got = await blob.DownloadContentAsync();
        Expect.Equal(got.Content.ToString(), "sealed", "content");
        Expect.Equal(got.Details.ContentType, "application/jose+json", "content type");
        Expect.Equal(got.Details.Metadata["origin"], "live", "metadata");
        BlobProperties properties = await blob.GetPropertiesAsync();
        Expect.Equal(properties.ContentLength, 6, "length");
        Expect.Equal(Convert.ToHexString(properties.ContentHash), Convert.ToHexString(MD5.HashData(Encoding.ASCII.GetBytes("sealed"))), "hash");
        Expect.True((DateTimeOffset.UtcNow - properties.CreatedOn).Duration() < TimeSpan.FromSeconds(10), "it was just created");
    }

    private async Task RefusesOverwriting()
    {
        var blob = await Uploaded("overwritten");
        await Expect.Refused(409, "BlobImmutableDueToPolicy", () => blob.UploadAsync(BinaryData.FromString("other"), overwrite: true));
        Expect.Equal((await blob.DownloadContentAsync()).Value.Content.ToString(), "sealed", "content");
    }

    private async Task RefusesTaken()
    {
        var blob = await Uploaded("taken");
        await Expect.Refused(409, "BlobAlreadyExists", () => blob.UploadAsync(Body, NewOnly()));
        await Expect.Refused(409, "BlobAlreadyExists", () => blob.UploadAsync(Body));
    }

    private async Task RefusesDeletion()
    {
        var blob = await Uploaded("kept");
        await Expect.Refused(409, "BlobImmutableDueToPolicy", () => blob.DeleteAsync());
        await Expect.Refused(409, "BlobImmutableDueToPolicy", () => blob.SetMetadataAsync(new Dictionary<string, string> { ["a"] = "b" }));
        Expect.Equal((await blob.ExistsAsync()).Value, true, "exists");
    }

    private async Task Lists()
    {
        for (var n = 0; n < 12; n += 1)
        {
            var options = new BlobUploadOptions { Metadata = new Dictionary<string, string> { ["n"] = $"{n}" } };
            await Blob($"list/{n:00}").UploadAsync(Body, options);
        }
        List<string> listed = [];
        var pages = 0;
        var listing = container.GetBlobsAsync(new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = $"{Prefix}list/" });
        await foreach (var page in listing.AsPages(pageSizeHint: 5))
        {
            pages += 1;
            listed.AddRange(page.Values.Select(each => $"{each.Name[^2..]}={each.Metadata["n"]}"));
        }
        Expect.Equal(pages, 3, "pages");
        Expect.Sequence(listed, Enumerable.Range(0, 12).Select(n => $"{n:00}={n}"), "names in order, with metadata");
    }

    private async Task OtherIdentity()
    {
        var blob = await Uploaded("foreign");
        var audit = Container(cloud, "audit");
        await foreach (var _ in audit.GetBlobsAsync(new GetBlobsOptions { Prefix = Prefix })) { }
        await Expect.Refused(403, "AuthorizationPermissionMismatch", () => audit.GetBlobClient(blob.Name).DownloadContentAsync());
        await Expect.Refused(403, "AuthorizationPermissionMismatch", () => audit.GetBlobClient(blob.Name).DeleteAsync());
        var reading = Container(cloud, "backup");
        await Expect.Refused(403, "AuthorizationPermissionMismatch", async () =>
        {
            await foreach (var _ in reading.GetBlobsAsync()) { }
        });
    }

    private async Task AddsOnly()
    {
        var blob = Container(cloud, "backup").GetBlobClient($"{Prefix}added");
        await blob.UploadAsync(Body, NewOnly());
        await Expect.Refused(409, "BlobAlreadyExists", () => blob.UploadAsync(Body, NewOnly()));
        await Expect.Refused(403, "UnauthorizedBlobOverwrite", () => blob.UploadAsync(Body, overwrite: true));
        await Expect.Refused(403, "AuthorizationPermissionMismatch", () => blob.DownloadContentAsync());
    }

    private Task WrongAudience() =>
        Expect.Refused(403, "AuthenticationFailed", () => Container(cloud, "user", "vault").GetPropertiesAsync());

    private async Task Busy()
    {
        await control.AddFault(new { target = "blob", match = new { path = "net/busy" }, effect = "status", status = 503, count = 2 });
        await Blob("busy").UploadAsync(Body, NewOnly());
        Expect.Equal((await Blob("busy").ExistsAsync()).Value, true, "exists");
    }
}
