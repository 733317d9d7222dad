using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Azure.Core;

namespace Interop;

/// <summary>What <c>.local/cloud.json</c> says of a running local cloud, as far as these checks need it.</summary>
public sealed class CloudFile
{
    private static readonly TimeSpan TokenLifetime = TimeSpan.FromDays(1);
    private readonly JsonElement root;
    private readonly X509Certificate2 authority;

    private CloudFile(JsonElement root, X509Certificate2 authority)
    {
        this.root = root;
        this.authority = authority;
    }

    public static CloudFile Read(string path)
    {
        var root = JsonDocument.Parse(File.ReadAllText(path)).RootElement;
        if (Text(root, "format") != "kvbackup-local/1") throw new InvalidDataException("Not a file of a local cloud");
        return new CloudFile(root, X509CertificateLoader.LoadCertificateFromFile(Text(root, "caFile")));
    }

    public Uri Vault => new(Text(root.GetProperty("vaults")[0], "url"));

    public Uri BlobService => new(Text(root.GetProperty("blob"), "url"));

    public string Container => Text(root.GetProperty("blob"), "container");

    /// <summary><c>host:port</c> of the listener with TLS.</summary>
    public string Namespace => Text(root.GetProperty("serviceBus"), "fullyQualifiedNamespace");

    public string ConnectionString => Text(root.GetProperty("serviceBus"), "connectionString");

    /// <summary>The queue that nothing of the pipeline reads.</summary>
    public string Queue => Text(root.GetProperty("serviceBus"), "quarantineQueue");

    public Uri Control => new(Text(root.GetProperty("control"), "url"));

    public string ControlToken => Text(root.GetProperty("control"), "token");

    /// <summary>Hands out the token that the file has for a job and an audience.</summary>
    public TokenCredential Credential(string job, string audience)
    {
        var token = Text(root.GetProperty("identities").GetProperty(job).GetProperty("tokens"), audience);
        return DelegatedTokenCredential.Create((_, _) => new AccessToken(token, DateTimeOffset.UtcNow + TokenLifetime));
    }

    /// <summary>A handler that trusts the authority of this cloud and no other.</summary>
    public HttpClientHandler Handler() => new()
    {
        ServerCertificateCustomValidationCallback = (_, certificate, chain, errors) => IsTrusted(certificate, errors),
    };

    /// <summary>The same trust for AMQP.</summary>
    public bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        IsTrusted(certificate as X509Certificate2, errors);

    private bool IsTrusted(X509Certificate2? certificate, SslPolicyErrors errors)
    {
        // Only the chain may be in doubt: the name of the host must be right.
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new InvalidDataException($"{name} is null");
}
