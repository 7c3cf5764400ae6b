using Microsoft.Extensions.DependencyInjection;
using StreamMl.Infrastructure.Models;
using StreamMl.Infrastructure.Predictions;
using StreamMl.Ingestors.Archiving;
using StreamMl.OnlineScorer;
using StreamMl.OnlineScorer.Scoring;
using StreamMl.Shared.Definitions;

namespace StreamMl.Cli.Hosting;

/// <summary>Wires the scorer to an installation: its registry, and the policies beside its catalogue.</summary>
internal static class Scoring
{
    /// <summary>Add it before the query API and trigger serving.</summary>
    /// <param name="services">Of the host.</param>
    /// <param name="directory">The installation's directory.</param>
    /// <param name="policies">How services are scored.</param>
    /// <param name="grpcUrl">Where gRPC listens; null: it does not.</param>
    public static void Add(IServiceCollection services, string directory, ScoringPolicies policies, string? grpcUrl = null)
    {
        services.AddSingleton(p => ModelStore.In(directory, p.GetRequiredService<TimeProvider>()));
        services.AddSingleton(policies);
        services.AddScoring(o => o.GrpcUrl = grpcUrl);
    }

    /// <summary>The policies of the file that is named, else of scoring.yaml beside the catalogue, else none.</summary>
    public static ScoringPolicies Policies(string? path, string catalogPath)
    {
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(catalogPath))!, ScoringFile.FileName);
        return path is not null ? ScoringFile.Load(path) : File.Exists(beside) ? ScoringFile.Load(beside) : ScoringPolicies.None;
    }

    /// <summary>Predictions are logs too: they are archived beside those of the catalogue.</summary>
    public static void ArchivePredictions(ArchiverOptions options, Catalog catalog, ScoringPolicies policies)
    {
        foreach (var (topic, source) in Topics(catalog, policies))
            options.MoreLogs[topic] = source.Partitions;
    }

    /// <summary>The predictions topic of every service with a trigger.</summary>
    public static IEnumerable<(string Topic, SourceDefinition Source)> Topics(Catalog catalog, ScoringPolicies policies) => catalog.Services
        .Where(s => s.Trigger is not null)
        .Select(s => (policies.Of(s.Name).Topic ?? PredictionSchema.TopicOf(s.Name), catalog.Source(s.Trigger!)));
}
