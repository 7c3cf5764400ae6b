namespace StreamMl.Shared.Log;

/// <summary>What a key of the store holds.</summary>
public enum StoreKeyKind : byte
{
    /// <summary>One entity's state of one view version.</summary>
    State,

    /// <summary>How far a view version has come.</summary>
    ViewPosition,

    /// <summary>How far the log itself has been read, decoded, routed and counted.</summary>
    LogPosition,

    Ledger,

    Routes,

    /// <summary>Which topic the positions belong to.</summary>
    Topic,

    /// <summary>How far a service has read its trigger.</summary>
    ServicePosition,

    /// <summary>That a view version is built beside the one that runs.</summary>
    Beside,

    /// <summary>When a reader of a view version was last seen.</summary>
    Reader,

    /// <summary>Whoever claims next knows that it begins late: see <see cref="LogNames.AnewKey"/>.</summary>
    Anew,
}

/// <summary>A key of the store, taken apart: the inverse of <see cref="LogNames"/>' key makers.</summary>
/// <param name="Kind">What it holds.</param>
/// <param name="Log">The log partition that it belongs to.</param>
/// <param name="View">The view's name; empty for keys of the log itself.</param>
/// <param name="Hash8">The view's version; empty for keys of the log itself.</param>
public readonly record struct StoreKey(StoreKeyKind Kind, PartitionId Log, string View, string Hash8)
{
    private const int HashLength = 8;

    /// <param name="key">The key as text, a character a byte: entity keys may hold anything.</param>
    /// <param name="parsed">Its parts.</param>
    /// <returns>False for a key that is not one of ours.</returns>
    public static bool TryParse(string key, out StoreKey parsed)
    {
        parsed = default;
        var close = key.IndexOf('}');
        var slash = close > 0 ? key.LastIndexOf('/', close) : -1;
        if (slash < 2 || key[0] != '{' || !int.TryParse(key.AsSpan(slash + 1, close - slash - 1), System.Globalization.CultureInfo.InvariantCulture, out var partition))
            return false;
        var log = new PartitionId(key[1..slash], partition);
        return TryParseTail(key[(close + 1)..], log, out parsed);
    }

    private static bool TryParseTail(string tail, PartitionId log, out StoreKey parsed)
    {
        StoreKeyKind? kind = tail switch
        {
            $"!source{LogNames.PositionSuffix}" => StoreKeyKind.LogPosition,
            "!ledger" => StoreKeyKind.Ledger,
            "!routes" => StoreKeyKind.Routes,
            "!topic" => StoreKeyKind.Topic,
            $"!source{LogNames.AnewSuffix}" => StoreKeyKind.Anew,
            _ when tail.StartsWith("service.", StringComparison.Ordinal) && tail.EndsWith(LogNames.PositionSuffix, StringComparison.Ordinal) && !tail.Contains('@') => StoreKeyKind.ServicePosition,
            _ => null,
        };
        parsed = new StoreKey(kind ?? StoreKeyKind.State, log, "", "");
        if (kind is not null)
            return true;
        var at = tail.IndexOf('@');
        if (at < 1 || tail.Length <= at + HashLength + 1)
            return false;
        kind = tail.AsSpan(at + 1 + HashLength) switch
        {
            ['/', ..] => StoreKeyKind.State,
            LogNames.PositionSuffix => StoreKeyKind.ViewPosition,
            LogNames.AnewSuffix => StoreKeyKind.Anew,
            "!beside" => StoreKeyKind.Beside,
            "!reader" => StoreKeyKind.Reader,
            _ => null,
        };
        parsed = new StoreKey(kind ?? StoreKeyKind.State, log, tail[..at], tail.Substring(at + 1, HashLength));
        return kind is not null;
    }
}
