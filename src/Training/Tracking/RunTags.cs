using System.Globalization;

namespace StreamMl.Training.Tracking;

/// <summary>The tags of a run as clients see them: those that were set, and what the record knows under names that MLflow's tools show. Pure.</summary>
public static class RunTags
{
    public const string Name = "mlflow.runName";
    public const string User = "mlflow.user";
    public const string Commit = "mlflow.source.git.commit";

    public static IReadOnlyDictionary<string, string> Of(RunRecord record)
    {
        var tags = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add(Name, record.Name);
        Add(User, record.User);
        Add(Commit, record.GitCommit);
        Add("streamml.service", record.Service);
        Add("streamml.service_hash", record.ServiceHash);
        Add("streamml.data_manifest", record.DataManifestHash);
        Add("streamml.seed", record.Seed?.ToString(CultureInfo.InvariantCulture));
        Add("streamml.model", record.Model);
        foreach (var (key, value) in record.Tags)
            tags[key] = value;
        return tags;

        void Add(string key, string? value)
        {
            if (value is not null)
                tags[key] = value;
        }
    }
}
