using StreamMl.Infrastructure.Avro;
using StreamMl.Ingestors.Files;
using StreamMl.Ingestors.Mapping;
using StreamMl.Shared.Definitions;
using StreamMl.Shared.Log;
using StreamMl.Shared.Time;

namespace StreamMl.Ingestors.Records;

/// <summary>What became of the rows of a source's files. <c>Read = Good + Bad + NotWanted</c>, always.</summary>
internal sealed class RowCounts
{
    public long Read { get; set; }

    public long Good { get; set; }

    public long Bad { get; set; }

    /// <summary>Passed over by the mapping's <c>where</c>.</summary>
    public long NotWanted { get; set; }
}

/// <summary>
/// The rows of a source's files, mapped and encoded, in the files' order. A bad row arrives with the row before it. With
/// <c>sort: false</c> the order is checked: going back in arrival time is an error.
/// </summary>
internal sealed class FileRecords : IRecordStream
{
    private readonly SourceMapping mapping;
    private readonly SourceDefinition source;
    private readonly AvroEncoder encoder;
    private readonly RecordValues values;
    private readonly int schemaId;
    private readonly bool[] wanted = new bool[RowChunk.DefaultRows];
    private readonly int[] keyColumns;
    private readonly List<(int Field, int Column)> fields = [];
    private IRowReader? reader;
    private RowMapper? mapper;
    private RowChunk? chunk;
    private int nextFile;
    private long rowsBefore;
    private long rowsOfFile;
    private long lastArrivalUs = long.MinValue;

    /// <exception cref="MappingException">The mapping does not fit its first file or the source.</exception>
    public FileRecords(SourceMapping mapping, SourceDefinition source, int schemaId)
    {
        this.mapping = mapping;
        this.source = source;
        this.schemaId = schemaId;
        encoder = new AvroEncoder(source.AvroSchema);
        values = encoder.NewValues();
        keyColumns = [.. source.KeyFields.Select(source.Schema.IndexOf)];
        OpenNext();
    }

    public RowCounts Counts { get; } = new();

    /// <summary>Fields that no column, constant or expression gives a value.</summary>
    public IReadOnlyList<string> Unset { get; private set; } = [];

    public bool Read(RecordBlock block)
    {
        block.Clear();
        while (block.Count == 0)
        {
            if (reader is null)
                return false;
            if (reader.Read(chunk!))
                Encode(block);
            else
                OpenNext();
        }

        return true;
    }

    public void Dispose() => reader?.Dispose();

    /// <summary>The file and the row in it, from the row in all files.</summary>
    public string FileOf(long row) => mapping.Files.Count == 1
        ? $"{Path.GetFileName(mapping.Files[0])}:{row}"
        : $"{Path.GetFileName(mapping.Files[nextFile - 1])}:{row - rowsBefore}";

    private void OpenNext()
    {
        reader?.Dispose();
        reader = null;
        rowsBefore += rowsOfFile;
        rowsOfFile = 0;
        if (nextFile == mapping.Files.Count)
            return;
        var path = mapping.Files[nextFile++];
        var plan = new RowPlan(mapping, source, RowFile.Columns(path, mapping.FileOptions));
        Require(plan);
        mapper = new RowMapper(plan, mapping, source);
        chunk = new RowChunk(plan.ChunkSchema);
        reader = RowFile.Open(path, plan.Bindings, mapping.FileOptions);
    }

    private void Require(RowPlan plan)
    {
        Unset = plan.Unset;
        fields.Clear();
        foreach (var field in encoder.Fields)
        {
            var index = encoder.IndexOf(field.Name);
            var column = plan.ChunkSchema.IndexOf(field.Name);
            var isUnset = column < 0 || plan.Unset.Contains(field.Name);
            if (!isUnset)
                fields.Add((index, column));
            else if (field.IsRequired)
            {
                throw MappingException.Of(mapping.Location, $"field '{field.Name}' of '{source.Name}' comes from nowhere: the file has no column of this name and the field has no default",
                    $"Say under `fields:` where it comes from ({field.Name}: column), or give it a default in the Avro schema");
            }
        }
    }

    private void Encode(RecordBlock block)
    {
        mapper!.Complete(chunk!, wanted);
        for (var row = 0; row < chunk!.Rows.Count; row++)
        {
            rowsOfFile++;
            Counts.Read++;
            if (chunk.ProblemOf(row) is null && !wanted[row])
                Counts.NotWanted++;
            else
                EncodeRow(block, row);
        }
    }

    private void EncodeRow(RecordBlock block, int row)
    {
        var start = block.Values.WrittenCount;
        var number = rowsBefore + chunk!.Rows.Offsets[row];
        var problem = chunk.ProblemOf(row);
        if (problem is null && TryWrite(block, row, out problem))
        {
            var key = EntityKey.Append(block.Keys, chunk.Rows, keyColumns, row);
            Arrive(chunk.Rows.ArrivalTimesUs[row], number);
            block.Add(chunk.Rows.ArrivalTimesUs[row], number, key, start, problem: null);
            Counts.Good++;
            return;
        }

        System.Buffers.BuffersExtensions.Write(block.Values, chunk.OriginalOf(row));
        block.Add(lastArrivalUs, number, -1, start, new BadRow(FileOf(number), problem!));
        Counts.Bad++;
    }

    private bool TryWrite(RecordBlock block, int row, out string? problem)
    {
        values.Clear();
        foreach (var (field, column) in fields)
        {
            if (!encoder.TrySetLane(field, chunk!.Rows.Columns[column], row, chunk.Rows.Arena, values, out problem))
                return false;
        }

        return encoder.TryWrite(values, schemaId, block.Values, out problem);
    }

    private void Arrive(long arrivalUs, long row)
    {
        if (arrivalUs < lastArrivalUs && !mapping.Sort)
        {
            throw new UnsortedFileException(
                $"{FileOf(row)}: the row arrives at {TimeGrid.Format(arrivalUs)}, after one that arrives at {TimeGrid.Format(lastArrivalUs)}. "
                + $"Add `sort: true` to source '{source.Name}' ({mapping.Location}), or sort the file by arrival time.");
        }

        lastArrivalUs = arrivalUs;
    }
}
