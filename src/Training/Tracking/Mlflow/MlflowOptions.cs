using System.ComponentModel.DataAnnotations;

namespace StreamMl.Training.Tracking.Mlflow;

/// <summary>The MLflow server.</summary>
public sealed class MlflowOptions
{
    /// <summary>Where it listens. Default http://127.0.0.1:5000; port 0 takes a free one (<see cref="MlflowServer.Address"/> says which). It asks nobody who they are: a
    /// loopback address answers only requests that name one, others are for networks where everyone may write.</summary>
    [Required]
    public string Url { get; set; } = "http://127.0.0.1:5000";

    /// <summary>The installation's directory: runs and models are under it.</summary>
    [Required]
    public string Directory { get; set; } = ".streamml";

    /// <summary>Bytes of one JSON request. 1 KiB to 64 MiB; default 16 MiB.</summary>
    [Range(1 << 10, 64 << 20)]
    public int MaxBodyBytes { get; set; } = 16 << 20;

    /// <summary>Bytes of one uploaded artifact. 1 KiB to 1 TiB; default 4 GiB.</summary>
    [Range(1L << 10, 1L << 40)]
    public long MaxArtifactBytes { get; set; } = 4L << 30;
}
