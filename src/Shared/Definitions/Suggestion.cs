namespace StreamMl.Shared.Definitions;

/// <summary>What somebody who wrote an unknown name may have meant. Pure.</summary>
public static class Suggestion
{
    /// <summary>The known name nearest to <paramref name="name"/> where it is near enough to be a slip, else null.</summary>
    public static string? For(string name, IEnumerable<string> known)
    {
        var best = known.Select(k => (Name: k, Distance: Distance(name.ToLowerInvariant(), k.ToLowerInvariant())))
            .OrderBy(c => c.Distance).ThenBy(c => c.Name, StringComparer.Ordinal).FirstOrDefault();
        // A name that was cut short is a slip however much is missing.
        if (name.Length >= 3 && known.Where(k => k.StartsWith(name, StringComparison.OrdinalIgnoreCase)).ToList() is [var only])
            return only;
        return best.Name is not null && best.Distance <= Math.Max(1, Math.Min(name.Length, best.Name.Length) / 3) ? best.Name : null;
    }

    /// <summary>Names that a message lists; of more, so many and how many are left out. A service has hundreds of features.</summary>
    public const int Listed = 30;

    /// <summary>"Did you mean `x`?" where there is a near name, else what there is: a remedy for an unknown name.</summary>
    public static string Remedy(string name, IEnumerable<string> known, string plural)
    {
        var all = known.ToList();
        if (For(name, all) is { } near)
            return $"Did you mean `{near}`?";
        return all.Count == 0 ? $"There are no {plural} yet: define one first" : $"There are these {plural}: {string.Join(", ", all.Take(Listed))}{(all.Count > Listed ? $" and {all.Count - Listed} more" : "")}";
    }

    // Edits (insert, delete, replace, swap of neighbours) from one to the other.
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(replace, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }

        return rows[a.Length, b.Length];
    }
}
