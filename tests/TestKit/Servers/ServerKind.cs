namespace StreamMl.TestKit.Servers;

/// <summary>Which server a fixture found.</summary>
public enum ServerKind
{
    /// <summary>The stand-in in this process.</summary>
    Embedded,

    /// <summary>A real one, started as a process of this machine.</summary>
    Process,

    /// <summary>A real one in a container.</summary>
    Container,
}
