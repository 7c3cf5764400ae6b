namespace StreamMl.Infrastructure.Avro;

/// <summary>Reasons for dead letters. Only built when a record is refused. Pure.</summary>
internal static class DecodeMessages
{
    private const string Mismatch = "was the value cut, or written with another schema than its id names?";

    /// <param name="program">What ran.</param>
    /// <param name="error">What it met.</param>
    /// <param name="at">Byte of the Avro body (without header) where it was met.</param>
    /// <param name="op">The instruction that met it.</param>
    /// <param name="body">The whole body.</param>
    public static string Describe(DecodeProgram program, DecodeError error, int op, nint at, ReadOnlySpan<byte> body)
    {
        if (error == DecodeError.Trailing)
            return $"{body.Length - at} bytes are left behind the last field, at byte {at} of {body.Length}; {Mismatch}";
        var code = program.Ops[op];
        return $"field '{program.FieldOfOp[op]}', byte {at} of {body.Length}: " + error switch
        {
            DecodeError.Truncated => $"the record ends here; {Mismatch}",
            DecodeError.LongVarint => $"a number of more than 10 bytes; {Mismatch}",
            DecodeError.IntRange => $"an int of more than 32 bits; {Mismatch}",
            DecodeError.BooleanByte => $"byte {body[(int)at]} where a boolean is 0 or 1; {Mismatch}",
            DecodeError.Length => $"a length that is negative or more than the {body.Length - at} bytes that are left; {Mismatch}",
            DecodeError.Utf8 => "the text is not valid UTF-8; encode strings as UTF-8",
            DecodeError.Branch => $"a union branch that the writer's schema does not have; {Mismatch}",
            DecodeError.Unresolvable => $"{program.Reasons[code.Arg]}; send one of the types that the source's schema reads",
            DecodeError.NullValue => code.Column < 0 || IsEventTime(program, op)
                ? "null where every event needs an event time; send a timestamp"
                : "null where the source's schema allows none; send a value, or make the field nullable in the source's schema",
            DecodeError.Symbol => "an enum symbol that the source's schema does not have; add it, or a default, to the source's schema",
            DecodeError.TimeRange => $"a time outside the years 1 to 9999; send {TimeUnit.All[code.Arg].Name} since 1970-01-01 UTC",
            DecodeError.Depth => $"values nested more than {SkipNode.MaxDepth} deep; send flatter events",
            _ => error.ToString(),
        };
    }

    private static bool IsEventTime(DecodeProgram program, int op) => op + 1 < program.Ops.Length && program.Ops[op + 1].Code == OpCode.EventTime;
}
