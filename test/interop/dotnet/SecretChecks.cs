using Azure;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;

namespace Interop;

/// <summary>Everything that people and programs do with secrets, with the rights of the person at the keyboard.</summary>
public sealed class SecretChecks(Checks checks, CloudFile cloud, Control control)
{
    private readonly SecretClient client = Client(cloud, "user");

    public async Task Run()
    {
        await checks.Run("secrets: sets and gets with all attributes", SetsAndGets);
        await checks.Run("secrets: gets an exact version, and lists versions", Versions);
        await checks.Run("secrets: updates attributes and tags of a version", Updates);
        await checks.Run("secrets: pages over more than 25", Pages);
        await checks.Run("secrets: deletes, lists as deleted, recovers", Recovers);
        await checks.Run("secrets: refuses to set a deleted name, and purges it", Purges);
        await checks.Run("secrets: tells 403 SecretDisabled for a disabled version", Disabled);
        await checks.Run("secrets: tells 404 SecretNotFound for a name and for a version", NotFound);
        await checks.Run("secrets: tells 403 ForbiddenByRbac to another identity", ForbiddenByRbac);
        await checks.Run("secrets: tells 401 for a token of another audience", WrongAudience);
        await checks.Run("secrets: retries 429 with Retry-After by itself", Throttled);
    }

    private static SecretClient Client(CloudFile cloud, string job, string audience = "vault") =>
        new(cloud.Vault, cloud.Credential(job, audience), new SecretClientOptions
        {
            DisableChallengeResourceVerification = true,
            Transport = new HttpClientTransport(cloud.Handler()),
        });

    private async Task SetsAndGets()
    {
        var expires = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 3600);
        var secret = new KeyVaultSecret("net-one", "välue\n1")
        {
            Properties = { ContentType = "text/plain", ExpiresOn = expires, NotBefore = expires.AddHours(-2), Tags = { ["team"] = "a" } },
        };
        KeyVaultSecret set = await client.SetSecretAsync(secret);
        KeyVaultSecret got = await client.GetSecretAsync("NET-one");
        Expect.True(got.Value == "välue\n1", "the value is the same");
        Expect.Equal(got.Properties.Version, set.Properties.Version, "version");
        Expect.Equal(got.Properties.Version.Length, 32, "length of a version");
        Expect.Equal(got.Id, new Uri(cloud.Vault, $"/secrets/net-one/{set.Properties.Version}"), "id");
        Expect.Equal(got.Properties.ContentType, "text/plain", "content type");
        Expect.Equal(got.Properties.ExpiresOn, expires, "expiry");
        Expect.Equal(got.Properties.NotBefore, expires.AddHours(-2), "not before");
        Expect.Equal(got.Properties.Tags["team"], "a", "tag");
        Expect.Equal(got.Properties.Enabled, true, "enabled");
        Expect.Equal(got.Properties.Managed, false, "managed");
        Expect.True(got.Properties.RecoverableDays > 0 && got.Properties.RecoveryLevel.Length > 0, "it can be recovered");
    }

    private async Task Versions()
    {
        List<string> set = [];
        for (var n = 0; n < 3; n += 1) set.Add((await client.SetSecretAsync("net-versions", $"{n}")).Value.Properties.Version);
        Expect.Equal((await client.GetSecretAsync("net-versions", set[0])).Value.Value, "0", "value of the first");
        Expect.Equal((await client.GetSecretAsync("net-versions")).Value.Value, "2", "value of the latest");
        List<string> listed = [];
        await foreach (var version in client.GetPropertiesOfSecretVersionsAsync("net-versions")) listed.Add(version.Version);
        Expect.Sequence(listed.Order(), set.Order(), "versions");
    }

    private async Task Updates()
    {
        KeyVaultSecret set = await client.SetSecretAsync("net-updated", "v");
        set.Properties.ContentType = "text/other";
        set.Properties.Tags["k"] = "v";
        SecretProperties updated = await client.UpdateSecretPropertiesAsync(set.Properties);
        Expect.Equal(updated.ContentType, "text/other", "content type");
        Expect.Equal(updated.Version, set.Properties.Version, "version");
        Expect.Equal((await client.GetSecretAsync("net-updated")).Value.Properties.Tags["k"], "v", "tag");
    }

    private async Task Pages()
    {
        var names = Enumerable.Range(0, 30).Select(n => $"net-page-{n:00}").ToList();
        foreach (var name in names) await client.SetSecretAsync(name, "v");
        List<int> sizes = [];
        List<string> listed = [];
        await foreach (Page<SecretProperties> page in client.GetPropertiesOfSecretsAsync().AsPages())
        {
            sizes.Add(page.Values.Count);
            listed.AddRange(page.Values.Select(each => each.Name));
        }
        Expect.True(sizes.Count > 1 && sizes.All(size => size <= 25), "there is more than one page, of 25 at most");
        Expect.Sequence(listed.Where(name => name.StartsWith("net-page-")).Order(), names, "names");
        Expect.Equal(listed.Distinct().Count(), listed.Count, "each once");
    }

    private async Task Recovers()
    {
        KeyVaultSecret set = await client.SetSecretAsync("net-deleted", "v");
        var deletion = await client.StartDeleteSecretAsync("net-deleted");
        DeletedSecret deleted = await deletion.WaitForCompletionAsync(TimeSpan.FromMilliseconds(50), default);
        Expect.Equal(deleted.Name, "net-deleted", "name");
        Expect.True(deleted.ScheduledPurgeDate > deleted.DeletedOn, "it is purged later");
        await Expect.Refused(404, "SecretNotFound", () => client.GetSecretAsync("net-deleted"));
        List<string> names = [];
        await foreach (var each in client.GetDeletedSecretsAsync()) names.Add(each.Name);
        Expect.True(names.Contains("net-deleted"), "it is listed as deleted");
        var recovery = await client.StartRecoverDeletedSecretAsync("net-deleted");
        await recovery.WaitForCompletionAsync(TimeSpan.FromMilliseconds(50), default);
        Expect.Equal((await client.GetSecretAsync("net-deleted")).Value.Properties.Version, set.Properties.Version, "version");
    }

    private async Task Purges()
    {
        await client.SetSecretAsync("net-purged", "v");
        var deletion = await client.StartDeleteSecretAsync("net-purged");
        await deletion.WaitForCompletionAsync(TimeSpan.FromMilliseconds(50), default);
        var conflict = await Expect.Refused(409, "Conflict", () => client.SetSecretAsync("net-purged", "w"));
        Expect.True(conflict.Message.Contains("ObjectIsDeletedButRecoverable"), "the inner code tells why");
        await client.PurgeDeletedSecretAsync("net-purged");
        await Expect.Refused(404, "SecretNotFound", () => client.GetDeletedSecretAsync("net-purged"));
        await client.SetSecretAsync("net-purged", "w");
    }

    private async Task Disabled()
    {
        KeyVaultSecret set = await client.SetSecretAsync(new KeyVaultSecret("net-disabled", "v") { Properties = { Enabled = false } });
        var error = await Expect.Refused(403, "Forbidden", () => client.GetSecretAsync("net-disabled", set.Properties.Version));
        Expect.True(error.Message.Contains("SecretDisabled"), "the inner code tells why");
        set.Properties.Enabled = true;
        await client.UpdateSecretPropertiesAsync(set.Properties);
        Expect.Equal((await client.GetSecretAsync("net-disabled")).Value.Value, "v", "value once enabled");
    }

    private async Task NotFound()
    {
        await Expect.Refused(404, "SecretNotFound", () => client.GetSecretAsync("net-never"));
        await client.SetSecretAsync("net-there", "v");
        await Expect.Refused(404, "SecretNotFound", () => client.GetSecretAsync("net-there", new string('0', 32)));
    }

    private async Task ForbiddenByRbac()
    {
        await client.SetSecretAsync("net-guarded", "v");
        var audit = Client(cloud, "audit");
        var error = await Expect.Refused(403, "Forbidden", () => audit.GetSecretAsync("net-guarded"));
        Expect.True(error.Message.Contains("ForbiddenByRbac"), "the inner code tells why");
        var backup = Client(cloud, "backup");
        Expect.Equal((await backup.GetSecretAsync("net-guarded")).Value.Value, "v", "value for the job that may");
        await Expect.Refused(403, "Forbidden", () => backup.SetSecretAsync("net-guarded", "w"));
    }

    private async Task WrongAudience()
    {
        var error = await Expect.Throws<RequestFailedException>(() => Client(cloud, "user", "blob").GetSecretAsync("net-guarded"));
        Expect.Equal(error.Status, 401, "status");
    }

    private async Task Throttled()
    {
        await control.AddFault(new
        {
            target = "keyvault",
            match = new { path = "/net-guarded/versions" },
            effect = "status",
            status = 429,
            retryAfter = 1,
            count = 2,
        });
        var started = DateTimeOffset.UtcNow;
        var versions = 0;
        await foreach (var _ in Client(cloud, "user").GetPropertiesOfSecretVersionsAsync("net-guarded")) versions += 1;
        Expect.Equal(versions, 1, "versions");
        var took = DateTimeOffset.UtcNow - started;
        Expect.True(took >= TimeSpan.FromSeconds(2), $"it waited 2 s as it was told, not {took.TotalSeconds} s");
    }
}
