using StreamMl.Infrastructure.Hosting;
using StreamMl.Infrastructure.Kafka;

namespace StreamMl.Cli.Maintaining;

/// <summary>Whether stream workers own partitions now: what changes the store under them must know.</summary>
internal static class Workers
{
    /// <summary>Whether a group has members now; null where nobody can tell.</summary>
    public static async Task<bool?> IsActiveAsync(InstallationOptions options, string group, CancellationToken stop)
    {
        if (options.Kafka is null)
            return null;
        using var admin = new TopicAdmin(KafkaEndpoint.Of(options.Kafka));
        return await admin.GroupIsActiveAsync(group, stop);
    }

    /// <exception cref="ArgumentException">Some do, or nobody can tell.</exception>
    public static async Task RequireNoneAsync(InstallationOptions options, string group, CancellationToken stop)
    {
        if (EndpointsFile.Read(options.Directory) is { } running && running.Redis == options.Redis)
            throw new ArgumentException($"a process runs in '{options.Directory}' and its stream worker owns the partitions: stop it (if it was killed, remove {EndpointsFile.PathIn(options.Directory)}), or add --force");
        if (options.Kafka is null)
            throw new ArgumentException("nobody can tell whether workers own the partitions: name Kafka with --kafka, or add --force when all are stopped");
        if (await IsActiveAsync(options, group, stop) ?? true)
            throw new ArgumentException($"group '{group}' has members: their workers own the partitions and would write again what this changes. Stop them (`streamml features`, `streamml up`), or add --force");
    }
}
