using ParquetSharp;

namespace StreamMl.FlightsPrepare;

/// <summary>A Parquet file as whole columns: these tables fit in memory many times over.</summary>
internal sealed class RawTable(string path)
{
    private readonly string path = path;

    public long?[] Longs(string column) => Read<long?>(column);

    public double?[] Doubles(string column) => Read<double?>(column);

    public string?[] Strings(string column) => Read<string?>(column);

    private T[] Read<T>(string column)
    {
        using var file = new ParquetFileReader(path);
        var index = Enumerable.Range(0, file.FileMetaData.NumColumns).First(i => file.FileMetaData.Schema.Column(i).Name == column);
        var values = new List<T>((int)file.FileMetaData.NumRows);
        for (var g = 0; g < file.FileMetaData.NumRowGroups; g++)
        {
            using var group = file.RowGroup(g);
            using var reader = group.Column(index).LogicalReader<T>();
            values.AddRange(reader.ReadAll((int)group.MetaData.NumRows));
        }

        return [.. values];
    }
}
