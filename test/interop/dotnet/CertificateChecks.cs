using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Certificates;
using Azure.Security.KeyVault.Secrets;

namespace Interop;

/// <summary>Everything that people and programs do with certificates.</summary>
public sealed class CertificateChecks(Checks checks, CloudFile cloud)
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(50);

    private readonly CertificateClient client = new(cloud.Vault, cloud.Credential("user", "vault"), new CertificateClientOptions
    {
        DisableChallengeResourceVerification = true,
        Transport = new HttpClientTransport(cloud.Handler()),
    });

    private readonly SecretClient secrets = new(cloud.Vault, cloud.Credential("user", "vault"), new SecretClientOptions
    {
        DisableChallengeResourceVerification = true,
        Transport = new HttpClientTransport(cloud.Handler()),
    });

    public async Task Run()
    {
        await checks.Run("certificates: creates RSA as PFX, and downloads it with its key", () => Creates("net-rsa", Rsa()));
        await checks.Run("certificates: creates EC as PEM, and downloads it with its key", () => Creates("net-ec", Ec()));
        await checks.Run("certificates: imports a PFX with a password, and downloads it with its key", ImportsPfx);
        await checks.Run("certificates: imports a PFX in the older encryption", ImportsOldPfx);
        await checks.Run("certificates: imports PEM, and downloads it with its key", ImportsPem);
        await checks.Run("certificates: keeps a key that is not exportable", NotExportable);
        await checks.Run("certificates: lists, and lists versions", Versions);
        await checks.Run("certificates: reads and changes the policy", Policy);
        await checks.Run("certificates: updates, disables, deletes, recovers and purges", LifeCycle);
        await checks.Run("certificates: tells 404 CertificateNotFound", () =>
            Expect.Refused(404, "CertificateNotFound", () => client.GetCertificateAsync("net-never")));
    }

    private static CertificatePolicy Rsa() => new("Self", "CN=rsa.example.test")
    {
        KeyType = CertificateKeyType.Rsa, KeySize = 2048, ContentType = CertificateContentType.Pkcs12, Exportable = true,
    };

    private static CertificatePolicy Ec() =>
        new("Self", "CN=ec.example.test", new SubjectAlternativeNames { DnsNames = { "ec.example.test" } })
        {
            KeyType = CertificateKeyType.Ec,
            KeyCurveName = CertificateKeyCurveName.P256,
            ContentType = CertificateContentType.Pem,
            Exportable = true,
        };

    private async Task<KeyVaultCertificateWithPolicy> Create(string name, CertificatePolicy policy)
    {
        var operation = await client.StartCreateCertificateAsync(name, policy);
        return await operation.WaitForCompletionAsync(Often, default);
    }

    private async Task Creates(string name, CertificatePolicy policy)
    {
        var made = await Create(name, policy);
        Expect.Equal(made.SecretId, new Uri(cloud.Vault, $"/secrets/{name}/{made.Properties.Version}"), "id of the secret");
        Expect.Equal(made.KeyId, new Uri(cloud.Vault, $"/keys/{name}/{made.Properties.Version}"), "id of the key");
        using X509Certificate2 downloaded = await client.DownloadCertificateAsync(name);
        Expect.Equal(downloaded.Subject, policy.Subject, "subject");
        ExpectSame(downloaded, made.Cer);
        Expect.Equal(Convert.ToHexString(made.Properties.X509Thumbprint), downloaded.Thumbprint, "thumbprint");
        Expect.Equal(made.Properties.ExpiresOn, new DateTimeOffset(downloaded.NotAfter), "expiry");
        var pending = await client.GetCertificateOperationAsync(name);
        Expect.Equal(pending.Properties.Status, "completed", "status of the operation");
    }

    private async Task ImportsPfx()
    {
        using var made = SelfSigned("CN=pfx.example.test");
        var pfx = made.ExportPkcs12(Pkcs12ExportPbeParameters.Pbes2Aes256Sha256, "a password");
        KeyVaultCertificateWithPolicy imported =
            await client.ImportCertificateAsync(new ImportCertificateOptions("net-pfx", pfx) { Password = "a password", Tags = { ["k"] = "v" } });
        await ExpectImported(imported, made, CertificateContentType.Pkcs12);
        Expect.Equal(imported.Properties.Tags["k"], "v", "tag");
    }

    private async Task ImportsOldPfx()
    {
        using var made = SelfSigned("CN=old.example.test");
        var pfx = made.ExportPkcs12(Pkcs12ExportPbeParameters.Pkcs12TripleDesSha1, "");
        KeyVaultCertificateWithPolicy imported = await client.ImportCertificateAsync(new ImportCertificateOptions("net-old", pfx));
        await ExpectImported(imported, made, CertificateContentType.Pkcs12);
    }

    private async Task ImportsPem()
    {
        using var made = SelfSigned("CN=pem.example.test");
        using var key = made.GetECDsaPrivateKey()!;
        var pem = Encoding.ASCII.GetBytes($"{key.ExportPkcs8PrivateKeyPem()}\n{made.ExportCertificatePem()}\n");
        KeyVaultCertificateWithPolicy imported = await client.ImportCertificateAsync(
            new ImportCertificateOptions("net-pem", pem) { Policy = new CertificatePolicy { ContentType = CertificateContentType.Pem } });
        await ExpectImported(imported, made, CertificateContentType.Pem);
    }

    private async Task ExpectImported(KeyVaultCertificateWithPolicy imported, X509Certificate2 made, CertificateContentType type)
    {
        Expect.True(imported.Cer.AsSpan().SequenceEqual(made.RawData), "the certificate is the same");
        Expect.Equal(imported.Policy.ContentType, type, "content type");
        Expect.Equal(imported.Policy.Exportable, true, "exportable");
        using X509Certificate2 downloaded = await client.DownloadCertificateAsync(imported.Name, imported.Properties.Version);
        ExpectSame(downloaded, made.RawData);
    }

    private async Task NotExportable()
    {
        var policy = Ec();
        policy.Exportable = false;
        var made = await Create("net-kept", policy);
        KeyVaultSecret secret = await secrets.GetSecretAsync("net-kept", made.Properties.Version);
        Expect.Equal(secret.Properties.Managed, true, "managed");
        Expect.True(!secret.Value.Contains("PRIVATE KEY"), "the key stays inside");
        using X509Certificate2 downloaded = await client.DownloadCertificateAsync("net-kept");
        Expect.Equal(downloaded.HasPrivateKey, false, "has the key");
    }

    private async Task Versions()
    {
        var first = await Create("net-cert-versions", Ec());
        var second = await Create("net-cert-versions", Ec());
        List<string> versions = [];
        await foreach (var each in client.GetPropertiesOfCertificateVersionsAsync("net-cert-versions")) versions.Add(each.Version);
        Expect.Sequence(versions.Order(), new[] { first.Properties.Version, second.Properties.Version }.Order(), "versions");
        KeyVaultCertificate old = await client.GetCertificateVersionAsync("net-cert-versions", first.Properties.Version);
        Expect.True(old.Cer.AsSpan().SequenceEqual(first.Cer), "the first version is as it was");
        List<string> names = [];
        await foreach (var each in client.GetPropertiesOfCertificatesAsync()) names.Add(each.Name);
        Expect.True(names.Contains("net-cert-versions"), "it is listed");
    }

    private async Task Policy()
    {
        await Create("net-policy", Ec());
        CertificatePolicy policy = await client.GetCertificatePolicyAsync("net-policy");
        Expect.Equal(policy.KeyCurveName, CertificateKeyCurveName.P256, "curve");
        Expect.Sequence(policy.SubjectAlternativeNames.DnsNames, ["ec.example.test"], "names");
        policy.ValidityInMonths = 6;
        policy.LifetimeActions.Clear();
        policy.LifetimeActions.Add(new LifetimeAction(CertificatePolicyAction.EmailContacts) { DaysBeforeExpiry = 20 });
        await client.UpdateCertificatePolicyAsync("net-policy", policy);
        CertificatePolicy changed = await client.GetCertificatePolicyAsync("net-policy");
        Expect.Equal(changed.ValidityInMonths, 6, "validity");
        Expect.Equal(changed.LifetimeActions.Single().DaysBeforeExpiry, 20, "lifetime action");
    }

    private async Task LifeCycle()
    {
        var made = await Create("net-life", Ec());
        made.Properties.Enabled = false;
        made.Properties.Tags["k"] = "v";
        KeyVaultCertificate updated = await client.UpdateCertificatePropertiesAsync(made.Properties);
        Expect.Equal(updated.Properties.Enabled, false, "enabled");
        Expect.Equal(updated.Properties.Tags["k"], "v", "tag");
        await Expect.Refused(403, "Forbidden", () => secrets.GetSecretAsync("net-life", made.Properties.Version));
        var deletion = await client.StartDeleteCertificateAsync("net-life");
        await deletion.WaitForCompletionAsync(Often, default);
        await Expect.Refused(404, "CertificateNotFound", () => client.GetCertificateAsync("net-life"));
        var recovery = await client.StartRecoverDeletedCertificateAsync("net-life");
        await recovery.WaitForCompletionAsync(Often, default);
        Expect.Equal((await client.GetCertificateAsync("net-life")).Value.Properties.Version, made.Properties.Version, "version");
        deletion = await client.StartDeleteCertificateAsync("net-life");
        await deletion.WaitForCompletionAsync(Often, default);
        await client.PurgeDeletedCertificateAsync("net-life");
        await Expect.Refused(404, "CertificateNotFound", () => client.GetDeletedCertificateAsync("net-life"));
    }

    private static X509Certificate2 SelfSigned(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(90));
    }

    /// <summary>The certificate is this one, and its key signs what the certificate verifies.</summary>
    private static void ExpectSame(X509Certificate2 downloaded, byte[] raw)
    {
        Expect.True(downloaded.RawData.AsSpan().SequenceEqual(raw), "the certificate is the same");
        Expect.Equal(downloaded.HasPrivateKey, true, "has the key");
        var data = Encoding.ASCII.GetBytes("signed");
        if (downloaded.GetECDsaPrivateKey() is { } ec)
        {
            var signature = ec.SignData(data, HashAlgorithmName.SHA256);
            Expect.True(downloaded.GetECDsaPublicKey()!.VerifyData(data, signature, HashAlgorithmName.SHA256), "the key fits");
            return;
        }
        var rsa = downloaded.GetRSAPrivateKey() ?? throw new InvalidOperationException("The key is neither EC nor RSA");
        var signed = rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        Expect.True(downloaded.GetRSAPublicKey()!.VerifyData(data, signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), "the key fits");
    }
}
