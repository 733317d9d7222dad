using Azure.Messaging.ServiceBus;

namespace Interop;

/// <summary>What a client learns that is refused for what it is, or for what the service goes through.</summary>
public sealed class ServiceBusRefusalChecks(Checks checks, CloudFile cloud, Control control)
{
    public async Task Run()
    {
        await checks.Run("service bus: an identity that may only receive cannot send", MayNotSend);
        await checks.Run("service bus: an identity without a role can neither send nor peek", MayNothing);
        await checks.Run("service bus: a token for another service is refused", WrongAudience);
        await checks.Run("service bus: a wrong shared key is refused", WrongKey);
        await checks.Run("service bus: a certificate of another authority is refused", Untrusted);
        await checks.Run("service bus: a throttled send tells ServiceBusy and sends nothing", Busy);
    }

    /// <summary>A client over TLS with a token credential, which gives up at the first failure.</summary>
    public static ServiceBusClient WithToken(CloudFile cloud, string job, string audience = "serviceBus", bool trusts = true)
    {
        var options = new ServiceBusClientOptions
        {
            CustomEndpointAddress = new Uri($"sb://{cloud.Namespace}"),
            RetryOptions = { MaxRetries = 0 },
        };
        if (trusts) options.CertificateValidationCallback = cloud.IsTrusted;
        return new ServiceBusClient(cloud.Namespace.Split(':')[0], cloud.Credential(job, audience), options);
    }

    /// <summary>A client over plain TCP with the connection string.</summary>
    public static ServiceBusClient WithKey(string connectionString) =>
        new(connectionString, new ServiceBusClientOptions { RetryOptions = { MaxRetries = 0 } });

    private async Task MayNotSend()
    {
        await using var client = WithToken(cloud, "audit");
        await using var receiver = client.CreateReceiver(cloud.Queue);
        await receiver.PeekMessageAsync();
        await using var sender = client.CreateSender(cloud.Queue);
        var error = await Expect.Throws<UnauthorizedAccessException>(() => sender.SendMessageAsync(new("x")));
        Expect.True(error.Message.Contains("'Send' claim(s) are required"), "it names the claim");
    }

    private async Task MayNothing()
    {
        await using var client = WithToken(cloud, "canary");
        await using var sender = client.CreateSender(cloud.Queue);
        await using var receiver = client.CreateReceiver(cloud.Queue);
        await Expect.Throws<UnauthorizedAccessException>(() => sender.SendMessageAsync(new("x")));
        await Expect.Throws<UnauthorizedAccessException>(() => receiver.PeekMessageAsync());
    }

    private async Task WrongAudience()
    {
        await using var client = WithToken(cloud, "user", "vault");
        await using var sender = client.CreateSender(cloud.Queue);
        await Expect.Throws<UnauthorizedAccessException>(() => sender.SendMessageAsync(new("x")));
    }

    private async Task WrongKey()
    {
        var parts = cloud.ConnectionString.Split(';').Select(part => part.StartsWith("SharedAccessKey=") ? "SharedAccessKey=d3Jvbmc=" : part);
        await using var client = WithKey(string.Join(";", parts));
        await using var sender = client.CreateSender(cloud.Queue);
        await Expect.Throws<UnauthorizedAccessException>(() => sender.SendMessageAsync(new("x")));
    }

    private async Task Untrusted()
    {
        await using var client = WithToken(cloud, "user", trusts: false);
        await using var sender = client.CreateSender(cloud.Queue);
        await Expect.Throws<Exception>(() => sender.SendMessageAsync(new("x")));
    }

    private async Task Busy()
    {
        await control.AddFault(new { target = "servicebus", match = new { method = "send" }, effect = "status", status = 503, count = 1 });
        await using var client = WithToken(cloud, "user");
        await using var sender = client.CreateSender(cloud.Queue);
        var error = await Expect.Fails(ServiceBusFailureReason.ServiceBusy, () => sender.SendMessageAsync(new("x")));
        Expect.True(error.IsTransient, "it is worth a retry");
        await using var receiver = client.CreateReceiver(cloud.Queue);
        Expect.Equal(await receiver.PeekMessageAsync(0), null, "what was sent");
    }
}
