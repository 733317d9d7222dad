using Interop;

if (args is not [var file])
{
    Console.Error.WriteLine("Usage: Interop PATH-OF-CLOUD.JSON");
    return 2;
}
var cloud = CloudFile.Read(file);
var checks = new Checks();
using var control = new Control(cloud);

await using (var client = ServiceBusRefusalChecks.WithToken(cloud, "user"))
    await new ServiceBusChecks(checks, "TLS", client, cloud.Queue).Run();
await using (var client = ServiceBusRefusalChecks.WithKey(cloud.ConnectionString))
    await new ServiceBusChecks(checks, "TCP", client, cloud.Queue).Run();
await new ServiceBusRefusalChecks(checks, cloud, control).Run();
await new SecretChecks(checks, cloud, control).Run();
await new CertificateChecks(checks, cloud).Run();
await new BlobChecks(checks, cloud, control).Run();
return checks.AllPassed ? 0 : 1;
