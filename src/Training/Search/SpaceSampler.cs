using StreamMl.ModelEngine.Sampling;
using StreamMl.Training.Configuration;

namespace StreamMl.Training.Search;

/// <summary>Draws points of a search space. Pure given its seed.</summary>
internal sealed class SpaceSampler(IReadOnlyList<SearchDimension> space, long seed)
{
    private SeededRandom random = new(seed);

    /// <summary>A point, each parameter by itself, evenly on its scale.</summary>
    public IReadOnlyDictionary<string, double> Draw() => Point(d => d.Choices.Count > 0 ? d.Choices[random.Next(d.Choices.Count)] : FromUnit(d, random.NextDouble()));

    /// <summary>A point whose parameters are chosen one by one.</summary>
    public IReadOnlyDictionary<string, double> Point(Func<SearchDimension, double> choose) => space.ToDictionary(d => d.Parameter, d => Rounded(d, choose(d)), StringComparer.Ordinal);

    public double Uniform() => random.NextDouble();

    /// <summary>Standard normal, by Box and Muller.</summary>
    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>A place on the dimension's scale, 0 at its low and 1 at its high end.</summary>
    public static double ToUnit(SearchDimension d, double value) => d.IsLog
        ? Math.Log(value / d.Low) / Math.Log(d.High / d.Low)
        : (value - d.Low) / (d.High - d.Low);

    public static double FromUnit(SearchDimension d, double unit) => d.IsLog
        ? d.Low * Math.Pow(d.High / d.Low, unit)
        : d.Low + (unit * (d.High - d.Low));

    private static double Rounded(SearchDimension d, double value) =>
        d.Choices.Count > 0 ? value : Math.Clamp(d.IsWhole ? Math.Round(value) : value, d.Low, d.High);
}
