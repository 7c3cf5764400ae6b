using System.ComponentModel.DataAnnotations;

namespace StreamMl.Ingestors.Archiving;

/// <summary>What the archiver writes where. Values of features do not depend on any of these.</summary>
public sealed class ArchiverOptions
{
    /// <summary>Directory of the archive. Default <c>.streamml/archive</c>.</summary>
    [Required]
    public string Directory { get; set; } = ".streamml/archive";

    /// <summary>Topics that are archived beside the catalogue's logs (predictions, say), with their partition counts. Default: none.</summary>
    public IDictionary<string, int> MoreLogs { get; } = new Dictionary<string, int>(StringComparer.Ordinal);

    /// <summary>Consumer group of all archivers of one installation. Default <c>streamml.archiver</c>.</summary>
    [Required]
    public string GroupId { get; set; } = "streamml.archiver";

    /// <summary>This archiver's name in the group (<c>group.instance.id</c>), unique and the same after a restart: its partitions then wait for it for as long as the broker's session timeout. Null (default): none.</summary>
    public string? GroupInstanceId { get; set; }

    /// <summary>KIP-848 rebalances (brokers of 4.0 and later, and the embedded one). Default true; false: cooperative-sticky.</summary>
    public bool UseConsumerProtocol { get; set; } = true;

    /// <summary>
    /// Where the topic has dropped records before they were archived: write the hole down in the archive and go on behind it. Default false: name the hole and end. Meant for one start.
    /// </summary>
    public bool AcceptLoss { get; set; }

    /// <summary>A file is completed after so many records. 1 to 100,000,000, default 1,000,000.</summary>
    [Range(1, 100_000_000)]
    public int RollMaxRecords { get; set; } = 1_000_000;

    /// <summary>A file is completed after so many bytes of keys and values. 1 to 1,024 MiB, default 256 MiB: readers map a file as a whole.</summary>
    [Range(1 << 20, 1 << 30)]
    public long RollMaxBytes { get; set; } = 256L << 20;

    /// <summary>A file is completed when its oldest record has waited so long, milliseconds. 100 to 86,400,000, default 60,000.</summary>
    [Range(100, 86_400_000)]
    public int RollMaxAgeMs { get; set; } = 60_000;

    /// <summary>A file is completed when nothing came for its partition for so long, milliseconds. 50 to 3,600,000, default 1,000.</summary>
    [Range(50, 3_600_000)]
    public int RollIdleMs { get; set; } = 1_000;

    /// <summary>Wait before the registry is asked again, milliseconds. 1 to 60,000, default 500.</summary>
    [Range(1, 60_000)]
    public int RetryDelayMs { get; set; } = 500;
}
