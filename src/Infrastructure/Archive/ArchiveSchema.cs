using Apache.Arrow;
using Apache.Arrow.Types;

namespace StreamMl.Infrastructure.Archive;

/// <summary>The columns of an archive file.</summary>
internal static class ArchiveSchema
{
    public const int Offset = 0;
    public const int Arrival = 1;
    public const int Key = 2;
    public const int Value = 3;
    public const int SourcePartition = 4;
    public const int SourceOffset = 5;

    public static Schema Arrow { get; } = new(
        [
            new Field("offset", Int64Type.Default, nullable: false),
            new Field("arrival_time", new TimestampType(TimeUnit.Microsecond, "UTC"), nullable: false),
            new Field("key", BinaryType.Default, nullable: true),
            new Field("value", BinaryType.Default, nullable: true),
            new Field("source_partition", Int32Type.Default, nullable: true),
            new Field("source_offset", Int64Type.Default, nullable: true),
        ],
        [KeyValuePair.Create("streamml.archive", "1")]);
}
