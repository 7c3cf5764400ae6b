namespace StreamMl.OnlineScorer.Catalogs;

/// <summary>Why a changed catalogue is not used yet.</summary>
/// <param name="Kind">Of what kind it is: while that stays, details may change with every look.</param>
/// <param name="Text">What was found and what to do.</param>
internal sealed record Obstacle(ObstacleKind Kind, string Text);

internal enum ObstacleKind
{
    /// <summary>The files are no catalogue.</summary>
    NotValid,

    /// <summary>A view has nothing in the store.</summary>
    NotBuilt,

    /// <summary>A view is behind its log's worker.</summary>
    Behind,

    /// <summary>Something could not serve by it what it serves now.</summary>
    Refused,

    StoreAway,
}
