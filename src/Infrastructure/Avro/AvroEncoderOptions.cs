namespace StreamMl.Infrastructure.Avro;

/// <summary>How <see cref="AvroEncoder"/> reads JSON and text.</summary>
public sealed class AvroEncoderOptions
{
    /// <summary>Drop JSON properties that the schema does not have. Default false: they are errors, so that a typing mistake is not a missing value.</summary>
    public bool IgnoreUnknownFields { get; init; }

    /// <summary>Texts that mean null in a nullable field, compared exactly after trimming. Default: the empty text only.</summary>
    public IReadOnlyList<string> NullTexts { get; init; } = [""];
}
