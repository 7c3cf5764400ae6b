namespace StreamMl.BatchBackfill;

/// <summary>Arguments of the form <c>command name --option value --flag</c>. Every option must be asked for, or <see cref="End"/> names it as unknown.</summary>
internal sealed class CommandArguments
{
    private readonly List<string> words = [];
    private readonly List<(string Name, string? Value)> options = [];
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);

    public CommandArguments(IReadOnlyList<string> args)
    {
        for (var i = 0; i < args.Count; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
                words.Add(args[i]);
            else if (i + 1 < args.Count && !args[i + 1].StartsWith("--", StringComparison.Ordinal))
                options.Add((args[i], args[++i]));
            else
                options.Add((args[i], null));
        }
    }

    public string? Word(int index) => index < words.Count ? words[index] : null;

    public string Required(string name) => Text(name) ?? throw new BackfillException($"{name} VALUE is missing");

    public string? Text(string name) => All(name) is { Count: > 0 } values ? values[^1] : null;

    public IReadOnlyList<string> All(string name)
    {
        asked.Add(name);
        return [.. options.Where(o => o.Name == name).Select(o => o.Value ?? throw new BackfillException($"{name} needs a value"))];
    }

    public bool Flag(string name)
    {
        asked.Add(name);
        return options.Exists(o => o.Name == name && (o.Value is null ? true : throw new BackfillException($"{name} takes no value, '{o.Value}' was given")));
    }

    public void End()
    {
        var unknown = options.FindIndex(o => !asked.Contains(o.Name));
        if (unknown >= 0)
            throw new BackfillException($"there is no option {options[unknown].Name} here; there are {string.Join(", ", asked.Order(StringComparer.Ordinal))}");
    }
}
