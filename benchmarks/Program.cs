using StreamMl.Benchmarks.Tiles;

Dictionary<string, Func<string[], int>> benchmarks = new(StringComparer.Ordinal)
{
    ["tiles"] = TileUpdateBenchmark.Run,
};

if (args.Length == 0 || !benchmarks.TryGetValue(args[0], out var benchmark))
{
    Console.Error.WriteLine($"usage: dotnet run -c Release --project benchmarks -- NAME [ARGS]; NAME is one of {string.Join(", ", benchmarks.Keys)}");
    return 2;
}

return benchmark(args[1..]);
