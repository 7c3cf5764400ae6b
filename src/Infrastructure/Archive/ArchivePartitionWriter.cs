using Apache.Arrow.Ipc;
using StreamMl.Shared.Log;

namespace StreamMl.Infrastructure.Archive;

/// <summary>How the files of an archive are cut.</summary>
public sealed class ArchiveRollOptions
{
    /// <summary>Cut after this many records. Default 1,000,000; 1 to 100,000,000.</summary>
    public int MaxRecords { get; set; } = 1_000_000;

    /// <summary>Cut after this many bytes of keys and values. Default 256 MiB; at most 1 GiB, as a file is mapped as a whole.</summary>
    public long MaxBytes { get; set; } = 256L << 20;

    /// <summary>Cut when the oldest record of the file has waited this long. Default 10 s.</summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Records per Arrow record batch: what a reader holds at a time. Default 16,384; 1 to 1,000,000.</summary>
    public int BatchRecords { get; set; } = 16_384;
}

/// <summary>
/// Writes one partition of the archive, in offset order. What has been rolled is durable; records since then are lost with the process and
/// read from the log again, because <see cref="NextOffset"/> of a new writer is just behind the last complete file. One writer per
/// partition at a time: a lock file refuses a second one. Not thread-safe.
/// </summary>
public sealed class ArchivePartitionWriter : IDisposable
{
    private readonly ArchiveLayout layout;
    private readonly PartitionId log;
    private readonly ArchiveRollOptions options;
    private readonly FileStream lockFile;
    private readonly ArchiveBatchBuilder batch = new();
    private FileStream? stream;
    private ArrowFileWriter? writer;
    private long firstOffset;

    /// <exception cref="IOException">Another process archives this partition.</exception>
    public ArchivePartitionWriter(ArchiveLayout layout, PartitionId log, ArchiveRollOptions options)
    {
        (this.layout, this.log, this.options) = (layout, log, options);
        var directory = layout.PartitionDirectory(log);
        Directory.CreateDirectory(directory);
        lockFile = Lock(directory, log);
        DurableFile.Discard(directory);
        var next = layout.NextOffset(log);
        IsNew = next is null;
        NextOffset = firstOffset = DurableOffset = next ?? 0;
    }

    /// <summary>Nothing of this partition was ever archived, nor begun.</summary>
    public bool IsNew { get; private set; }

    /// <summary>The first offset that has not been appended.</summary>
    public long NextOffset { get; private set; }

    /// <summary>The first offset that is not in a complete file: where another writer would go on.</summary>
    public long DurableOffset { get; private set; }

    /// <summary>Records appended since the last roll.</summary>
    public int PendingRecords { get; private set; }

    /// <summary>Bytes of keys and values appended since the last roll.</summary>
    public long PendingBytes { get; private set; }

    /// <summary>Whether the log has moved since the last roll.</summary>
    public bool HasPending => NextOffset > DurableOffset;

    public bool IsFull => PendingRecords >= options.MaxRecords || PendingBytes >= options.MaxBytes;

    /// <summary>Begins a new partition's archive at the first offset that its topic has now. What is dropped later, before a file has it, is then known to be missing.</summary>
    /// <exception cref="InvalidOperationException">It was begun before.</exception>
    public void Begin(long offset)
    {
        if (!IsNew)
            throw new InvalidOperationException($"the archive of {log} was begun before and stands at offset {NextOffset}");
        layout.SetBegin(log, offset);
        NextOffset = firstOffset = DurableOffset = offset;
        IsNew = false;
    }

    /// <summary>Writes down that the topic lost what is between here and this offset, and goes on there: nobody will read across it without being told.</summary>
    /// <exception cref="InvalidOperationException">Something is pending, or nothing is missing.</exception>
    public void AcceptLoss(long toOffset)
    {
        if (HasPending || toOffset <= DurableOffset)
            throw new InvalidOperationException($"the archive of {log} stands at offset {NextOffset}, complete up to {DurableOffset}: there is no loss up to {toOffset}");
        layout.AddLoss(new ArchiveLoss(log, DurableOffset, toOffset - 1));
        NextOffset = firstOffset = DurableOffset = toOffset;
    }

    /// <param name="offset">At least <see cref="NextOffset"/>; gaps are what the log skipped.</param>
    /// <param name="arrivalUs">The record's timestamp.</param>
    /// <param name="key">Empty where hasKey is false: null is not the empty key.</param>
    /// <param name="hasKey">Whether the record has a key.</param>
    /// <param name="value">Empty where hasValue is false.</param>
    /// <param name="hasValue">False for a tombstone.</param>
    /// <param name="sourcePartition">-1 for a record of a source topic.</param>
    /// <param name="sourceOffset">Ignored for a record of a source topic.</param>
    public void Append(long offset, long arrivalUs, ReadOnlySpan<byte> key, bool hasKey, ReadOnlySpan<byte> value, bool hasValue, int sourcePartition, long sourceOffset)
    {
        if (offset < NextOffset)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"the archive of {log} expects offset {NextOffset} or later");
        batch.Append(offset, arrivalUs, key, hasKey, value, hasValue, sourcePartition, sourceOffset);
        NextOffset = offset + 1;
        PendingRecords++;
        PendingBytes += key.Length + value.Length;
        if (batch.Count >= options.BatchRecords || batch.Bytes >= options.MaxBytes)
            WriteBatch();
    }

    /// <summary>
    /// The log was read up to this offset and has no more records below it: transaction markers and aborted records take offsets too. The file that is being
    /// written covers them; where there is none, <see cref="Roll"/> makes one without records. An offset that was passed is ignored.
    /// </summary>
    public void SkipTo(long offset) => NextOffset = Math.Max(NextOffset, offset);

    /// <summary>Completes the file that is being written; nothing where the log has not moved.</summary>
    public void Roll()
    {
        if (!HasPending)
            return;
        if (batch.Count > 0 || writer is null)
            WriteBatch();
        writer!.WriteEnd();
        writer.Dispose();
        DurableFile.Commit(stream!, layout.FilePath(log, firstOffset, NextOffset - 1));
        (writer, stream) = (null, null);
        DurableOffset = firstOffset = NextOffset;
        PendingRecords = 0;
        PendingBytes = 0;
    }

    /// <summary>Closes without completing the pending file: call <see cref="Roll"/> first to keep it.</summary>
    public void Dispose()
    {
        writer?.Dispose();
        if (stream is not null)
        {
            stream.Dispose();
            File.Delete(stream.Name);
        }

        lockFile.Dispose();
    }

    // A file needs a batch to have a schema, if only one without rows.
    private void WriteBatch()
    {
        if (writer is null)
        {
            stream = DurableFile.Create(Path.Combine(layout.PartitionDirectory(log), "pending"));
            writer = new ArrowFileWriter(stream, ArchiveSchema.Arrow, leaveOpen: true);
        }

        using var records = batch.Build();
        writer.WriteRecordBatch(records);
        batch.Clear();
    }

    private static FileStream Lock(string directory, PartitionId log)
    {
        try
        {
            return new FileStream(Path.Combine(directory, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new IOException($"another archiver is writing {log} in {directory}: stop it, or give this one another directory", e);
        }
    }
}
