using System.Text.Json;
using Azure;
using Azure.Messaging.ServiceBus;

namespace Interop;

/// <summary>Runs checks one after another and prints each as one JSON line: name, ok, detail.</summary>
public sealed class Checks
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    public bool AllPassed { get; private set; } = true;

    /// <returns>Whether it passed.</returns>
    public async Task<bool> Run(string name, Func<Task> check)
    {
        var detail = "";
        try
        {
            await check().WaitAsync(Limit);
        }
        catch (Exception error)
        {
            AllPassed = false;
            detail = Describe(error);
        }
        var ok = detail.Length == 0;
        Console.WriteLine(JsonSerializer.Serialize(new { name, ok, detail }));
        return ok;
    }

    private static string Describe(Exception error)
    {
        var kind = error switch
        {
            ServiceBusException bus => $"{bus.Reason}",
            RequestFailedException request => $"{request.Status} {request.ErrorCode}",
            _ => "",
        };
        // The lines that follow hold the whole answer of a server.
        return $"{error.GetType().Name} {kind}: {error.Message.Split('\n')[0]}";
    }
}

/// <summary>Assertions whose failure says what was asked, what was wanted and what was there.</summary>
public static class Expect
{
    public static void Equal<T>(T actual, T wanted, string what)
    {
        if (!EqualityComparer<T>.Default.Equals(actual, wanted))
            throw new InvalidOperationException($"{what}: wanted {wanted}, got {actual}");
    }

    public static void Sequence<T>(IEnumerable<T> actual, IEnumerable<T> wanted, string what) =>
        Equal(string.Join(",", actual), string.Join(",", wanted), what);

    public static void True(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException($"It does not hold that {what}");
    }

    /// <summary>The error that <paramref name="work"/> ends with; it fails when there is none, or another.</summary>
    public static async Task<T> Throws<T>(Func<Task> work) where T : Exception
    {
        try
        {
            await work();
        }
        catch (T error)
        {
            return error;
        }
        throw new InvalidOperationException($"{typeof(T).Name} was expected, and nothing was thrown");
    }

    /// <summary>A refusal over HTTP with this status and this code of the service.</summary>
    public static async Task<RequestFailedException> Refused(int status, string code, Func<Task> work)
    {
        var error = await Throws<RequestFailedException>(work);
        Equal($"{error.Status} {error.ErrorCode}", $"{status} {code}", "refusal");
        return error;
    }

    /// <summary>A failure of Service Bus with this reason.</summary>
    public static async Task<ServiceBusException> Fails(ServiceBusFailureReason reason, Func<Task> work)
    {
        var error = await Throws<ServiceBusException>(work);
        Equal(error.Reason, reason, "reason");
        return error;
    }
}
