using System.Security.Cryptography;
using System.Text;
using StreamMl.Training.Configuration;

namespace StreamMl.Training.Tracking;

/// <summary>
/// Names a training by what decides its model: configuration with seed and variant, label, data. Every run of it has the same name, and so has the model, whose content has no
/// time of a run in it; <c>streamml runs show</c> takes it for the first of those runs. Pure.
/// </summary>
public static class TrainingId
{
    private const int Digits = 16;

    public static string Of(TrainConfig config, string? label, string dataManifestHash) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{dataManifestHash}\n{label ?? config.Label}\n{config.TextAsRun()}")))[..Digits];
}
