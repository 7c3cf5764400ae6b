using StreamMl.FeatureEngine.Services;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;

namespace StreamMl.BatchBackfill.PointInTime;

/// <summary>
/// The values of one view for all spine rows, row by row in a mapped file: lanes, then validity bytes. A row is written once, by any thread;
/// rows never written are null. Strings are kept in a second file and a lane says where.
/// </summary>
internal sealed unsafe class FeatureScratch : IDisposable
{
    private const int LengthBits = 24;

    private readonly ScratchFile rows;
    private readonly int[] serviceColumns;
    private readonly bool[] isText;
    private readonly int stride;
    private readonly string textPath;
    private readonly Lock textGate = new();
    private FileStream? text;

    public FeatureScratch(string path, ServiceView view, IReadOnlyList<FeatureColumn> columns, long spineRows)
    {
        serviceColumns = view.ServiceColumns.ToArray();
        isText = [.. serviceColumns.Select(c => columns[c].Type == FieldType.String)];
        stride = (serviceColumns.Length * 9 + 7) / 8 * 8;
        rows = new ScratchFile(path, stride * spineRows);
        textPath = path + ".text";
    }

    /// <summary>The service's columns that are kept here.</summary>
    public IReadOnlyList<int> ServiceColumns => serviceColumns;

    /// <summary>Keeps the view's columns of a service row.</summary>
    public void Write(long spineRow, FeatureRow row)
    {
        var lanes = (long*)(rows.Start + (spineRow * stride));
        var valid = (byte*)(lanes + serviceColumns.Length);
        for (var i = 0; i < serviceColumns.Length; i++)
        {
            var column = serviceColumns[i];
            valid[i] = row.Valid[column];
            lanes[i] = isText[i] && row.Valid[column] != 0 ? KeepText(row.Arena.Slice(row.Lanes[column])) : row.Lanes[column];
        }
    }

    /// <summary>Copies column i of rows [from, from + count) into a column of a batch.</summary>
    public void Read(int i, long from, int count, EventColumn into, Utf8Arena arena)
    {
        var at = rows.Start + (from * stride);
        for (var row = 0; row < count; row++, at += stride)
        {
            var lane = ((long*)at)[i];
            var valid = at[(serviceColumns.Length * 8) + i];
            into.Valid[row] = valid;
            into.Lanes[row] = valid != 0 && isText[i] ? FetchText(lane, arena) : lane;
        }
    }

    public void Flush()
    {
        rows.Flush();
        lock (textGate)
            text?.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        rows.Dispose();
        text?.Dispose();
    }

    private long KeepText(ReadOnlySpan<byte> value)
    {
        if (value.Length >= 1 << LengthBits)
            throw new InvalidDataException($"a text feature of {value.Length} bytes is longer than {(1 << LengthBits) - 1}");
        lock (textGate)
        {
            text ??= OpenText();
            var start = text.Position;
            text.Write(value);
            return (start << LengthBits) | (uint)value.Length;
        }
    }

    /// <summary>After a flush: straight from the file, whatever has been appended since.</summary>
    private long FetchText(long lane, Utf8Arena arena)
    {
        var length = (int)(lane & ((1 << LengthBits) - 1));
        var start = arena.Length;
        lock (textGate)
            text ??= OpenText();
        var read = RandomAccess.Read(text.SafeFileHandle, arena.Reserve(length), lane >> LengthBits);
        return read == length
            ? Utf8Arena.Pack(start, length)
            : throw new InvalidDataException($"the working file {textPath} ends too early: remove its directory and run the backfill again");
    }

    private FileStream OpenText()
    {
        var stream = new FileStream(textPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, 1 << 16);
        stream.Seek(0, SeekOrigin.End);
        return stream;
    }
}
