namespace StreamMl.ModelEngine.Sampling;

/// <summary>
/// Choices of rows: indices, ascending, decided by the seed alone. Pure; thread-safe. A sample never looks at a row's values beyond what it is given, and is
/// taken of one part of the split at a time.
/// </summary>
public static class Samples
{
    /// <summary>So many of <paramref name="rows"/> rows, each subset as likely as another (selection sampling, Knuth 3.4.2, algorithm S).</summary>
    /// <param name="size">From 0 to <paramref name="rows"/>.</param>
    public static int[] Random(int rows, int size, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, rows);
        var random = new SeededRandom(seed);
        var chosen = new int[size];
        for (int row = 0, taken = 0; taken < size; row++)
        {
            if (random.Next(rows - row) < size - taken)
                chosen[taken++] = row;
        }

        return chosen;
    }

    /// <summary>The same share of every stratum, rounded to whole rows, and at least one row of each.</summary>
    /// <param name="strata">Stratum of every row, from 0.</param>
    /// <param name="share">More than 0, at most 1.</param>
    public static int[] Stratified(ReadOnlySpan<int> strata, double share, long seed)
    {
        CheckShare(share);
        var members = Members(strata);
        List<int> chosen = [];
        for (var s = 0; s < members.Count; s++)
        {
            var size = Math.Max(1, (int)Math.Round(members[s].Count * share, MidpointRounding.AwayFromZero));
            if (members[s].Count > 0)
                chosen.AddRange(Random(members[s].Count, Math.Min(size, members[s].Count), (long)SeededRandom.Mix((ulong)seed, (ulong)s)).Select(i => members[s][i]));
        }

        chosen.Sort();
        return [.. chosen];
    }

    /// <summary>
    /// So many rows with a chance that grows with their weight, without replacement: the greatest keys u^(1/w) (P. Efraimidis and P. Spirakis, "Weighted random
    /// sampling with a reservoir", 2006, algorithm A). Rows of weight 0 are never taken.
    /// </summary>
    /// <param name="size">At most the number of rows with weight.</param>
    public static int[] ImportanceWeighted(ReadOnlySpan<double> weights, int size, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var random = new SeededRandom(seed);
        List<(double Key, int Row)> keys = [];
        for (var i = 0; i < weights.Length; i++)
        {
            if (!(weights[i] >= 0) || double.IsInfinity(weights[i]))
                throw new ArgumentException($"the weight of row {i} is {weights[i]}: it must be finite and not negative", nameof(weights));
            // ln(u) / w orders as u^(1/w) does, without underflow. 1 - u is never 0.
            var key = Math.Log(1 - random.NextDouble()) / weights[i];
            if (weights[i] > 0)
                keys.Add((key, i));
        }

        if (size > keys.Count)
            throw new ArgumentOutOfRangeException(nameof(size), size, $"{keys.Count} rows have weight: take no more");
        int[] chosen = [.. keys.OrderByDescending(k => k.Key).ThenBy(k => k.Row).Take(size).Select(k => k.Row)];
        Array.Sort(chosen);
        return chosen;
    }

    internal static void CheckShare(double share)
    {
        if (!(share > 0 && share <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "a share must be more than 0 and at most 1");
    }

    internal static List<List<int>> Members(ReadOnlySpan<int> strata)
    {
        List<List<int>> members = [];
        for (var i = 0; i < strata.Length; i++)
        {
            if (strata[i] < 0)
                throw new ArgumentException($"the stratum of row {i} is {strata[i]}: strata count from 0", nameof(strata));
            while (members.Count <= strata[i])
                members.Add([]);
            members[strata[i]].Add(i);
        }

        return members;
    }
}
