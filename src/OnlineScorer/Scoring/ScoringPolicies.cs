namespace StreamMl.OnlineScorer.Scoring;

/// <summary>What is done with a vector that has a value missing, or too old.</summary>
public enum PolicyAction
{
    /// <summary>Score it as it is: the model was trained on such rows too.</summary>
    Score,

    /// <summary>Score it, and say so in the flags.</summary>
    Flag,

    /// <summary>Put the declared default value (null where none is declared) in its place, and say so.</summary>
    Default,

    /// <summary>Do not score it: the event goes to the dead-letter topic, the request's row gets an error.</summary>
    Refuse,
}

/// <summary>How old a view's newest event may be.</summary>
/// <param name="MaxAge">Null: as old as it may be.</param>
/// <param name="Action">What happens to a vector where it is older.</param>
public sealed record ViewPolicy(TimeSpan? MaxAge, PolicyAction Action);

/// <summary>How one service's vectors are scored; the default scores every vector as it is.</summary>
public sealed record ServicePolicy
{
    /// <summary>Where predictions go; null: <c>predictions.SERVICE</c>.</summary>
    public string? Topic { get; init; }

    /// <summary>The score from which the decision is true; null: the model's own, else 0.5.</summary>
    public double? Threshold { get; init; }

    /// <summary>What happens where a stored feature is null. Default: it is scored, as such rows were in training.</summary>
    public PolicyAction Missing { get; init; } = PolicyAction.Score;

    /// <summary>By feature (<c>view.feature</c>), the value for <see cref="PolicyAction.Default"/>, as text.</summary>
    public IReadOnlyDictionary<string, string> Defaults { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>By view.</summary>
    public IReadOnlyDictionary<string, ViewPolicy> Views { get; init; } = new Dictionary<string, ViewPolicy>(StringComparer.Ordinal);
}

/// <summary>The policies of all services. Immutable; thread-safe.</summary>
public sealed class ScoringPolicies(IReadOnlyDictionary<string, ServicePolicy> services)
{
    private static readonly ServicePolicy Plain = new();

    public static ScoringPolicies None { get; } = new(new Dictionary<string, ServicePolicy>(StringComparer.Ordinal));

    public IEnumerable<string> Services => services.Keys;

    public ServicePolicy Of(string service) => services.GetValueOrDefault(service, Plain);
}
