using System.Globalization;
using System.Text;
using StreamMl.ModelEngine;
using StreamMl.OnlineScorer.Reading;
using StreamMl.Shared.Events;
using StreamMl.Shared.Features;
using StreamMl.Shared.Models;
using StreamMl.Shared.Time;

namespace StreamMl.OnlineScorer.Scoring;

/// <summary>A service's policy with its names resolved against one model. Immutable; thread-safe.</summary>
internal sealed class CompiledPolicy
{
    private readonly PolicyAction missing;
    private readonly List<ViewRule> views = [];
    private readonly int[] viewOfInput;
    private readonly DefaultValue?[] defaults;
    private readonly string[] missingFlags;
    private readonly string[] defaultFlags;

    private CompiledPolicy(ServicePolicy policy, ServedService service, IReadOnlyList<ModelInput> inputs)
    {
        missing = policy.Missing;
        var names = service.Views.Select(v => v.Name).ToList();
        viewOfInput = [.. inputs.Select(i => i.Origin == InputOrigin.Stored ? names.IndexOf(i.Name[..Math.Max(0, i.Name.IndexOf('.'))]) : -1)];
        foreach (var (view, rule) in policy.Views)
        {
            if (names.IndexOf(view) is var at && at < 0)
                throw new ModelException($"the scoring policy of service '{service.Program.Name}' names view '{view}', which the service does not read; it reads {string.Join(", ", names)}");
            if (rule.MaxAge is { } maxAge && rule.Action != PolicyAction.Score)
                views.Add(new ViewRule(at, view, TimeGrid.ToMicros(maxAge), rule.Action, $"stale:{view}"));
        }

        if (policy.Defaults.Keys.FirstOrDefault(d => service.Program.Columns.All(c => c.FullName != d)) is { } unknown)
            throw new ModelException($"the scoring policy of service '{service.Program.Name}' has a default for '{unknown}', which the service does not compute; write it as view.feature");
        defaults = [.. inputs.Select(i => policy.Defaults.TryGetValue(i.Name, out var text) ? DefaultValue.Parse(i, text) : null)];
        missingFlags = [.. inputs.Select(i => $"missing:{i.Name}")];
        defaultFlags = [.. inputs.Select(i => $"default:{i.Name}")];
        IsPlain = missing == PolicyAction.Score && views.Count == 0;
    }

    /// <summary>Nothing is ever done.</summary>
    public bool IsPlain { get; }

    /// <exception cref="ModelException">The policy names what the service does not have.</exception>
    public static CompiledPolicy Compile(ServicePolicy policy, ServedService service, IReadOnlyList<ModelInput> inputs) => new(policy, service, inputs);

    /// <summary>Changes the vector as declared and adds flags; returns why it is refused, or null.</summary>
    public string? Apply(ReadBatch read, int request, FeatureRow vector, List<string> flags)
    {
        foreach (var rule in views)
        {
            if (read.Answer(request, rule.View).AgeUs is not { } ageUs || ageUs <= rule.MaxAgeUs)
                continue;
            if (rule.Action == PolicyAction.Refuse)
                return $"the newest event of view '{rule.Name}' is {TimeGrid.FromMicros(ageUs)} old, the limit is {TimeGrid.FromMicros(rule.MaxAgeUs)}; let the source send, or raise maxAge in the scoring policy";
            flags.Add(rule.Flag);
            if (rule.Action == PolicyAction.Default)
                SetDefaults(rule.View, vector, flags);
        }

        return missing == PolicyAction.Score ? null : ApplyMissing(vector, flags);
    }

    private string? ApplyMissing(FeatureRow vector, List<string> flags)
    {
        for (var input = 0; input < viewOfInput.Length; input++)
        {
            if (viewOfInput[input] < 0 || vector.Valid[input] != 0)
                continue;
            if (missing == PolicyAction.Refuse)
                return $"feature '{missingFlags[input]["missing:".Length..]}' has no value; declare a default for it, or let the scoring policy score such rows";
            if (missing == PolicyAction.Flag || defaults[input] is not { } value)
            {
                flags.Add(missingFlags[input]);
                continue;
            }

            value.Set(vector, input);
            flags.Add(defaultFlags[input]);
        }

        return null;
    }

    private void SetDefaults(int view, FeatureRow vector, List<string> flags)
    {
        for (var input = 0; input < viewOfInput.Length; input++)
        {
            if (viewOfInput[input] != view)
                continue;
            vector.SetNull(input);
            if (defaults[input] is { } value)
                value.Set(vector, input);
            flags.Add(defaultFlags[input]);
        }
    }

    private sealed record ViewRule(int View, string Name, long MaxAgeUs, PolicyAction Action, string Flag);

    private sealed record DefaultValue(long Lane, byte[]? Text)
    {
        public void Set(FeatureRow vector, int column)
        {
            if (Text is not null)
                vector.Set(column, Text);
            else
                vector.Set(column, Lane);
        }

        public static DefaultValue Parse(ModelInput input, string text) => input.Type switch
        {
            FieldType.String => new(0, Encoding.UTF8.GetBytes(text)),
            FieldType.Boolean when text is "true" or "false" => new(text == "true" ? 1 : 0, null),
            FieldType.Int64 when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => new(whole, null),
            FieldType.Float64 when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => new(BitConverter.DoubleToInt64Bits(number), null),
            _ => throw new ModelException($"the default '{text}' of '{input.Name}' in the scoring policy is no {input.Type}"),
        };
    }
}
