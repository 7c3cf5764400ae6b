using StreamMl.Infrastructure.Embedded;
using StreamMl.Infrastructure.Kafka;
using Testcontainers.Kafka;
using Xunit;

namespace StreamMl.TestKit.Servers;

/// <summary>
/// One Kafka for a test assembly (<c>[assembly: AssemblyFixture(typeof(KafkaFixture))]</c>), the most real one that this machine has: the
/// broker beside the repository, a container, or the embedded one. Tests that need what the embedded one lacks call <see cref="RequireReal"/>.
/// </summary>
public sealed class KafkaFixture : IAsyncLifetime
{
    public const string Image = "apache/kafka:4.3.1";

    private readonly List<string> refusals = [];
    private KafkaEndpoint? endpoint;
    private IAsyncDisposable? server;

    /// <summary>Settings of the broker beside the defaults, where it is a process: NAME=VALUE.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    public ServerKind Kind { get; private set; }

    public KafkaEndpoint Endpoint => endpoint ?? throw new InvalidOperationException("The fixture was not initialized.");

    /// <summary>Why it is not a more real one.</summary>
    public string Why => refusals.Count == 0 ? "" : string.Join("; ", refusals);

    public async ValueTask InitializeAsync()
    {
        if (TestEnvironment.Forced is null or ServerKind.Process && await TryProcessAsync()) return;
        if (TestEnvironment.Forced is null or ServerKind.Container && await TryContainerAsync()) return;
        var embedded = EmbeddedKafka.Start();
        (endpoint, server, Kind) = (KafkaEndpoint.Of(embedded), embedded, ServerKind.Embedded);
    }

    /// <summary>Skips the test on the embedded Kafka, saying why no real one is there.</summary>
    public void RequireReal(string what)
    {
        if (Kind == ServerKind.Embedded) TestEnvironment.Skip($"{what}: the embedded Kafka does not do it, and {Why}.");
    }

    /// <summary>A topic of this test's own.</summary>
    public async Task<string> CreateTopicAsync(string name, int partitions = 1)
    {
        string topic = TestEnvironment.UniqueName(name);
        using var admin = new TopicAdmin(Endpoint);
        await admin.EnsureTopicAsync(topic, partitions, CancellationToken.None);
        return topic;
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }

    private async Task<bool> TryProcessAsync()
    {
        string? script = TestEnvironment.SharedDirectory is { } shared ? Path.Combine(shared, "kafka", "kafka") : null;
        if (script is null || !File.Exists(script)) return Refuse("no kafka/kafka beside the repository");
        if (TestEnvironment.OnPath("java") is null) return Refuse("no java on the PATH");
        string directory = TestEnvironment.TemporaryDirectory("kafka");
        var child = await ChildServer.StartAsync(
            $"\"$1\" start \"$2\" 1 group.consumer.heartbeat.interval.ms=300 {string.Join(' ', Settings)} || exit 1", "\"$1\" stop \"$2\" >/dev/null; rm -rf \"$2\"", script, directory);
        (endpoint, server, Kind) = (KafkaEndpoint.Of(child.FirstLine.Trim()), child, ServerKind.Process);
        return true;
    }

    private async Task<bool> TryContainerAsync()
    {
        if (TestEnvironment.WhyNoContainer(Image) is { } why) return Refuse(why);
        var container = new KafkaBuilder(Image).Build();
        await container.StartAsync();
        (endpoint, server, Kind) = (KafkaEndpoint.Of(container.GetBootstrapAddress()), container, ServerKind.Container);
        return true;
    }

    private bool Refuse(string reason)
    {
        refusals.Add(reason);
        return false;
    }
}
