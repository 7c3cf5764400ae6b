using System.Text;
using StreamMl.FeatureEngine.Services;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;

namespace StreamMl.OnlineScorer.Reading;

/// <summary>A service and where its views lie in the store. Immutable; thread-safe.</summary>
public sealed class ServedService
{
    public ServedService(ServiceProgram program)
    {
        Program = program;
        Views = [.. program.Views.Select(v => new ServedView(v))];
    }

    public ServiceProgram Program { get; }

    public IReadOnlyList<ServedView> Views { get; }

    public static ServedService Compile(Catalog catalog, ServiceDefinition service) => new(ServiceProgram.Compile(catalog, service));
}

/// <summary>A view of a service with the store keys of each of its log's partitions. Immutable; thread-safe.</summary>
public sealed class ServedView
{
    private readonly byte[][] statePrefixes;
    private readonly byte[][] positionKeys;

    internal ServedView(ServiceView view)
    {
        View = view;
        var program = view.Program;
        var logs = Enumerable.Range(0, program.Source.Partitions).Select(p => new PartitionId(program.Log, p)).ToList();
        statePrefixes = [.. logs.Select(l => Encoding.UTF8.GetBytes(LogNames.StatePrefix(l, view.Name, program.Hash8)))];
        positionKeys = [.. logs.Select(l => Encoding.UTF8.GetBytes(LogNames.PositionKey(l, view.Name, program.Hash8)))];
    }

    public ServiceView View { get; }

    public string Name => View.Name;

    public string Log => View.Program.Log;

    public string Hash8 => View.Program.Hash8;

    public int Partitions => positionKeys.Length;

    public ReadOnlySpan<byte> StatePrefix(int partition) => statePrefixes[partition];

    public ReadOnlySpan<byte> PositionKey(int partition) => positionKeys[partition];
}
