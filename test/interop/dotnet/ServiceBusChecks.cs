using Azure.Messaging.ServiceBus;

namespace Interop;

/// <summary>Everything that the pipeline and its operators ask of a queue, through the client at hand.</summary>
public sealed class ServiceBusChecks(Checks checks, string listener, ServiceBusClient client, string queue)
{
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);
    private static readonly ServiceBusReceiverOptions Take = new() { ReceiveMode = ServiceBusReceiveMode.ReceiveAndDelete };
    private static readonly ServiceBusReceiverOptions DeadLetters = new() { SubQueue = SubQueue.DeadLetter };

    private readonly ServiceBusSender sender = client.CreateSender(queue);
    private readonly ServiceBusReceiver receiver = client.CreateReceiver(queue);
    private readonly ServiceBusReceiver dead = client.CreateReceiver(queue, DeadLetters);

    public async Task Run()
    {
        await Empty();
        await Check("sends one and keeps every property", KeepsProperties);
        await Check("sends an array and a batch, and receives in order", SendsMany);
        await Check("peeks without locking", Peeks);
        await Check("abandons with properties and counts deliveries", Abandons);
        await Check("defers and receives by sequence number", Defers);
        await Check("dead-letters with reason and reads the dead letters", DeadLetterQueue);
        await Check("dead-letters what expires", Expires);
        await Check("renews a lock", Renews);
        await Check("schedules and cancels", Schedules);
        await Check("receives and deletes", ReceivesAndDeletes);
        await Check("tells MessageLockLost for a lock that expired", LosesLock);
        await Check("tells MessagingEntityNotFound", MissingEntity);
        await Check("tells MessageSizeExceeded and goes on with the link", TooLarge);
        await Check("processes with prefetch", Processes);
        await Check("leaves an empty queue", LeavesNothing);
        await Task.WhenAll(sender.DisposeAsync().AsTask(), receiver.DisposeAsync().AsTask(), dead.DisposeAsync().AsTask());
    }

    private async Task Check(string name, Func<Task> check)
    {
        // What a failed check leaves would fail the next ones too.
        if (!await checks.Run($"service bus over {listener}: {name}", check)) await Empty();
    }

    private async Task<ServiceBusReceivedMessage> One(ServiceBusReceiver from) =>
        await from.ReceiveMessageAsync(Wait) ?? throw new InvalidOperationException("Nothing was received");

    private async Task Empty()
    {
        await using var taker = client.CreateReceiver(queue, Take);
        while ((await taker.ReceiveMessagesAsync(100, Moment)).Count > 0) { }
        foreach (var left in await taker.PeekMessagesAsync(100, 0))
            if (left.State == ServiceBusMessageState.Deferred) await taker.ReceiveDeferredMessageAsync(left.SequenceNumber);
        await using var deadTaker = client.CreateReceiver(queue, new ServiceBusReceiverOptions
        {
            ReceiveMode = Take.ReceiveMode,
            SubQueue = SubQueue.DeadLetter,
        });
        while ((await deadTaker.ReceiveMessagesAsync(100, Moment)).Count > 0) { }
    }

    private async Task KeepsProperties()
    {
        var id = Guid.NewGuid();
        var sent = new ServiceBusMessage("{\"hello\":\"wörld\"}")
        {
            MessageId = "m-1",
            CorrelationId = "c-1",
            Subject = "s",
            ContentType = "application/json",
            ReplyTo = "r",
            To = "t",
            ApplicationProperties =
            {
                ["text"] = "x", ["int"] = 1, ["long"] = 1L << 40, ["double"] = 0.5, ["yes"] = true, ["guid"] = id,
                ["time"] = DateTimeOffset.UnixEpoch,
            },
        };
        await sender.SendMessageAsync(sent);
        var message = await One(receiver);
        Expect.Equal(message.Body.ToString(), "{\"hello\":\"wörld\"}", "body");
        Expect.Sequence(
            [message.MessageId, message.CorrelationId, message.Subject, message.ContentType, message.ReplyTo, message.To],
            ["m-1", "c-1", "s", "application/json", "r", "t"],
            "properties");
        foreach (var (name, value) in sent.ApplicationProperties)
            Expect.Equal(message.ApplicationProperties[name], value, $"property {name}");
        Expect.Equal(message.DeliveryCount, 1, "delivery count");
        Expect.Equal(message.State, ServiceBusMessageState.Active, "state");
        Expect.True((DateTimeOffset.UtcNow - message.EnqueuedTime).Duration() < TimeSpan.FromSeconds(10), "it was just enqueued");
        Expect.True(message.LockedUntil > DateTimeOffset.UtcNow, "it is locked");
        await receiver.CompleteMessageAsync(message);
        Expect.Equal(await receiver.ReceiveMessageAsync(Moment), null, "after completing");
    }

    private async Task SendsMany()
    {
        await sender.SendMessagesAsync([new("0"), new("1"), new("2")]);
        using var batch = await sender.CreateMessageBatchAsync();
        Expect.Equal(batch.MaxSizeInBytes, 262_144, "size of a batch");
        for (var n = 3; n < 30; n += 1) Expect.True(batch.TryAddMessage(new($"{n}")), "it fits");
        await sender.SendMessagesAsync(batch);
        List<string> bodies = [];
        while (bodies.Count < 30)
        {
            var messages = await receiver.ReceiveMessagesAsync(30 - bodies.Count, Wait);
            Expect.True(messages.Count > 0, "more comes");
            foreach (var message in messages)
            {
                bodies.Add(message.Body.ToString());
                await receiver.CompleteMessageAsync(message);
            }
        }
        Expect.Sequence(bodies, Enumerable.Range(0, 30).Select(n => $"{n}"), "order");
    }

    private async Task Peeks()
    {
        await sender.SendMessagesAsync([new("a"), new("b"), new("c")]);
        var peeked = await receiver.PeekMessagesAsync(10, 0);
        Expect.Sequence(peeked.Select(message => message.Body.ToString()), ["a", "b", "c"], "peeked");
        Expect.Equal(peeked[0].DeliveryCount, 0, "deliveries of a peeked message");
        var second = await receiver.PeekMessageAsync(peeked[1].SequenceNumber);
        Expect.Equal(second.Body.ToString(), "b", "peeked from a sequence number");
        foreach (var _ in peeked) await receiver.CompleteMessageAsync(await One(receiver));
        await using var fresh = client.CreateReceiver(queue);
        Expect.Equal((await fresh.PeekMessagesAsync(10, 0)).Count, 0, "left to peek");
    }

    private async Task Abandons()
    {
        await sender.SendMessageAsync(new("x") { ApplicationProperties = { ["old"] = "o" } });
        var first = await One(receiver);
        await receiver.AbandonMessageAsync(first, new Dictionary<string, object> { ["tried"] = 1 });
        var second = await One(receiver);
        Expect.Equal(second.SequenceNumber, first.SequenceNumber, "sequence number");
        Expect.Equal(second.DeliveryCount, 2, "delivery count");
        Expect.Equal(second.ApplicationProperties["tried"], 1, "new property");
        Expect.Equal(second.ApplicationProperties["old"], "o", "old property");
        await receiver.CompleteMessageAsync(second);
    }

    private async Task Defers()
    {
        await sender.SendMessageAsync(new("later"));
        var message = await One(receiver);
        await receiver.DeferMessageAsync(message, new Dictionary<string, object> { ["why"] = "not yet" });
        Expect.Equal(await receiver.ReceiveMessageAsync(Moment), null, "a deferred message");
        Expect.Equal((await receiver.PeekMessagesAsync(1, message.SequenceNumber))[0].State, ServiceBusMessageState.Deferred, "state");
        var again = await receiver.ReceiveDeferredMessageAsync(message.SequenceNumber);
        Expect.Equal(again.ApplicationProperties["why"], "not yet", "property");
        Expect.Equal(again.DeliveryCount, 2, "delivery count");
        await receiver.CompleteMessageAsync(again);
        await Expect.Fails(ServiceBusFailureReason.MessageNotFound, () => receiver.ReceiveDeferredMessageAsync(message.SequenceNumber));
    }

    private async Task DeadLetterQueue()
    {
        await sender.SendMessageAsync(new("bad") { MessageId = "bad-1" });
        var message = await One(receiver);
        await receiver.DeadLetterMessageAsync(message, new Dictionary<string, object> { ["code"] = 7 }, "malformed", "no id");
        var letter = await One(dead);
        Expect.Sequence(
            [letter.MessageId, letter.DeadLetterReason, letter.DeadLetterErrorDescription, letter.DeadLetterSource],
            ["bad-1", "malformed", "no id", queue],
            "dead letter");
        Expect.Equal(letter.ApplicationProperties["code"], 7, "property");
        await dead.CompleteMessageAsync(letter);
    }

    private async Task Expires()
    {
        await sender.SendMessageAsync(new("short-lived") { TimeToLive = TimeSpan.FromMilliseconds(300) });
        var letter = await One(dead);
        Expect.Equal(letter.DeadLetterReason, "TTLExpiredException", "reason");
        Expect.Equal(letter.TimeToLive, TimeSpan.FromMilliseconds(300), "time to live");
        await dead.CompleteMessageAsync(letter);
        Expect.Equal(await receiver.ReceiveMessageAsync(Moment), null, "an expired message");
    }

    private async Task Renews()
    {
        await sender.SendMessageAsync(new("mine"));
        var message = await One(receiver);
        var before = message.LockedUntil;
        await Task.Delay(Moment);
        await receiver.RenewMessageLockAsync(message);
        Expect.True(message.LockedUntil > before, "the lock lasts longer");
        await receiver.CompleteMessageAsync(message);
    }

    private async Task Schedules()
    {
        var soon = await sender.ScheduleMessageAsync(new("soon"), DateTimeOffset.UtcNow.AddMilliseconds(600));
        var never = await sender.ScheduleMessageAsync(new("never"), DateTimeOffset.UtcNow.AddMilliseconds(700));
        Expect.Equal((await receiver.PeekMessagesAsync(1, soon))[0].State, ServiceBusMessageState.Scheduled, "state");
        await sender.CancelScheduledMessageAsync(never);
        var message = await One(receiver);
        Expect.Equal(message.Body.ToString(), "soon", "body");
        Expect.True(DateTimeOffset.UtcNow >= message.ScheduledEnqueueTime, "it waited");
        await receiver.CompleteMessageAsync(message);
        Expect.Equal(await receiver.ReceiveMessageAsync(TimeSpan.FromMilliseconds(500)), null, "a cancelled message");
    }

    private async Task ReceivesAndDeletes()
    {
        await sender.SendMessageAsync(new("once"));
        await using var taker = client.CreateReceiver(queue, Take);
        Expect.Equal((await One(taker)).Body.ToString(), "once", "body");
        Expect.Equal(await receiver.PeekMessageAsync(0), null, "left");
    }

    private async Task LosesLock()
    {
        await sender.SendMessageAsync(new("slow"));
        var message = await One(receiver);
        await Task.Delay(message.LockedUntil - DateTimeOffset.UtcNow + Moment);
        await Expect.Fails(ServiceBusFailureReason.MessageLockLost, () => receiver.CompleteMessageAsync(message));
        await Expect.Fails(ServiceBusFailureReason.MessageLockLost, () => receiver.RenewMessageLockAsync(message));
        var again = await One(receiver);
        Expect.Equal(again.DeliveryCount, 2, "delivery count");
        await receiver.CompleteMessageAsync(again);
        await Expect.Fails(ServiceBusFailureReason.MessageLockLost, () => receiver.CompleteMessageAsync(again));
    }

    private async Task MissingEntity()
    {
        await using var lost = client.CreateSender("no-such-queue");
        await Expect.Fails(ServiceBusFailureReason.MessagingEntityNotFound, () => lost.SendMessageAsync(new("x")));
        await using var deaf = client.CreateReceiver("no-such-queue");
        await Expect.Fails(ServiceBusFailureReason.MessagingEntityNotFound, () => deaf.ReceiveMessageAsync(Wait));
    }

    private async Task TooLarge()
    {
        await Expect.Fails(ServiceBusFailureReason.MessageSizeExceeded, () => sender.SendMessageAsync(new(new byte[300_000])));
        await sender.SendMessageAsync(new(new byte[262_000]));
        var message = await One(receiver);
        Expect.Equal(message.Body.ToArray().Length, 262_000, "length");
        await receiver.CompleteMessageAsync(message);
    }

    private async Task Processes()
    {
        const int total = 200;
        await sender.SendMessagesAsync(Enumerable.Range(0, total).Select(n => new ServiceBusMessage($"{n}")));
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, int>();
        var done = new TaskCompletionSource();
        await using var processor = client.CreateProcessor(queue, new ServiceBusProcessorOptions { PrefetchCount = 50, MaxConcurrentCalls = 8 });
        processor.ProcessErrorAsync += args =>
        {
            done.TrySetException(args.Exception);
            return Task.CompletedTask;
        };
        processor.ProcessMessageAsync += args =>
        {
            var text = args.Message.Body.ToString();
            // One in ten fails, is abandoned and comes back.
            if (seen.AddOrUpdate(text, 1, (_, n) => n + 1) == 1 && text.EndsWith('7')) return args.AbandonMessageAsync(args.Message);
            if (seen.Count == total && seen.All(pair => pair.Value == (pair.Key.EndsWith('7') ? 2 : 1))) done.TrySetResult();
            return Task.CompletedTask;
        };
        await processor.StartProcessingAsync();
        await done.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await processor.StopProcessingAsync();
    }

    private async Task LeavesNothing()
    {
        await using var fresh = client.CreateReceiver(queue);
        await using var freshDead = client.CreateReceiver(queue, DeadLetters);
        Expect.Equal(await fresh.ReceiveMessageAsync(Moment), null, "a message");
        Expect.Equal(await fresh.PeekMessageAsync(0), null, "a message to peek");
        Expect.Equal(await freshDead.PeekMessageAsync(0), null, "a dead letter");
    }
}
