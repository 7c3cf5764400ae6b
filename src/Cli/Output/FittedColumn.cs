namespace StreamMl.Cli.Output;

/// <summary>A column of a <see cref="FittedTable"/>.</summary>
/// <param name="Title">Its head.</param>
/// <param name="Rank">What a narrow screen leaves out first has the highest; 0 always stays.</param>
/// <param name="IsRight">Whether it is set to the right, as numbers are.</param>
/// <param name="Color">Spectre's color of a cell; null or none: plain.</param>
internal sealed record FittedColumn(string Title, int Rank = 0, bool IsRight = false, Func<string, string?>? Color = null);
