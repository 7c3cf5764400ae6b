namespace StreamMl.Ingestors.Records;

/// <summary>The records of one source, in the order of arrival, in bounded memory. Not thread-safe.</summary>
internal interface IRecordStream : IDisposable
{
    /// <summary>Clears the block and fills it with the next records. Returns false at the end, with an empty block.</summary>
    bool Read(RecordBlock block);
}

/// <summary>Rows of a file that are not in the order of arrival, where the mapping says they are.</summary>
public sealed class UnsortedFileException(string message) : Exception(message);
