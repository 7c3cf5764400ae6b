namespace StreamMl.Infrastructure.Tests.Store;

/// <summary>The servers that the store's promise is tested on.</summary>
public enum StoreKind
{
    /// <summary>The most real Redis of this machine.</summary>
    Redis,

    /// <summary>Garnet in this process.</summary>
    Embedded,

    /// <summary>valkey-server, where it is installed.</summary>
    Valkey,

    /// <summary>Three primaries and three replicas of redis-server.</summary>
    Cluster,

    /// <summary>The same of valkey-server.</summary>
    ValkeyCluster,
}
