using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace Interop;

/// <summary>Plans faults through the control endpoint of the local cloud.</summary>
public sealed class Control : IDisposable
{
    private readonly HttpClient client;

    public Control(CloudFile cloud)
    {
        client = new HttpClient(cloud.Handler()) { BaseAddress = cloud.Control };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cloud.ControlToken);
    }

    public async Task AddFault(object rule)
    {
        using var response = await client.PostAsJsonAsync("/faults", rule);
        response.EnsureSuccessStatusCode();
    }

    public void Dispose() => client.Dispose();
}
