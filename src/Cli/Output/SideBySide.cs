namespace StreamMl.Cli.Output;

/// <summary>Things beside each other: a row per property, a column per thing. The first two stay on any screen; of long values the beginning is shown, which tells hashes apart.</summary>
internal static class SideBySide
{
    private const int MaxValue = 20;

    public static FittedTable Table(IEnumerable<string> heads) =>
        new([new FittedColumn(""), .. heads.Select((head, i) => new FittedColumn(Short(head), i < 2 ? 0 : i, IsRight: true))]);

    /// <param name="values">One per thing; null: it has none.</param>
    public static void Add(FittedTable table, string name, IEnumerable<string?> values) => table.Add([name, .. values.Select(v => Short(v ?? "-"))]);

    private static string Short(string value) => value.Length <= MaxValue ? value : value[..(MaxValue - 1)] + "…";
}
