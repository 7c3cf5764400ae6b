using System.Runtime.CompilerServices;
using StreamMl.Shared.Time;

namespace StreamMl.Infrastructure.Avro;

/// <summary>What one instruction of a <see cref="DecodeProgram"/> does; the comment says what <see cref="DecodeOp.Arg"/> is.</summary>
internal enum OpCode : byte
{
    End, // behind the last field
    SkipFixed, // bytes
    SkipVarints, // how many
    SkipText,
    SkipNode, // index of the node
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Text,
    Enum, // index of the symbol table
    IntAsDouble,
    LongAsDouble,
    IntAsFloat,
    LongAsFloat,
    Timestamp, // index of the time unit
    EventTime, // index of the time unit; the column is -1 where the field is only the event time
    Null,
    SetValid, // the next instruction gives a value to a column that can hold nulls
    NullCheck, // branch that is null; null skips the next instruction
    Union, // branches; two instructions each follow: the value and a jump behind the union
    Jump, // how many instructions to leave out
    Fail, // index of the reason
    ConstantLane, // index of the constant
    ConstantText, // index of the text
}

/// <summary>Why a body was refused.</summary>
internal enum DecodeError : byte
{
    None,
    Truncated,
    LongVarint,
    IntRange,
    BooleanByte,
    Length,
    Utf8,
    Branch,
    Unresolvable,
    NullValue,
    Symbol,
    TimeRange,
    Depth,
    Trailing,
}

/// <param name="Code">What to do.</param>
/// <param name="NullAllowed">Of <see cref="OpCode.NullCheck"/> and <see cref="OpCode.Null"/>.</param>
/// <param name="Column">Column of the batch, or -1.</param>
/// <param name="Arg">See <see cref="OpCode"/>.</param>
internal readonly record struct DecodeOp(OpCode Code, bool NullAllowed, short Column, int Arg);

/// <summary>Raw values from <paramref name="MinRaw"/> to <paramref name="MinRaw"/> + <paramref name="Span"/> are times in the years 1 to 9999.</summary>
internal readonly record struct TimeUnit(string Name, long MicrosPerUnit, long MinRaw, ulong Span)
{
    public const int Micros = 0;
    public const int Millis = 1;
    public const int Days = 2;

    private const long MinUs = -62_135_596_800_000_000;
    private const long MaxUs = 253_402_300_799_999_999;

    public static readonly TimeUnit[] All =
    [
        Of("microseconds", 1), Of("milliseconds", TimeGrid.MicrosPerMillisecond), Of("days", TimeGrid.MicrosPerDay),
    ];

    public static int IndexOf(AvroLogical logical) => logical switch
    {
        AvroLogical.TimestampMicros => Micros,
        AvroLogical.TimestampMillis => Millis,
        AvroLogical.Date => Days,
        _ => throw new ArgumentOutOfRangeException(nameof(logical), logical, "not a timestamp"),
    };

    public bool TryToMicros(long raw, out long micros)
    {
        micros = unchecked(raw * MicrosPerUnit);
        return unchecked((ulong)(raw - MinRaw)) <= Span;
    }

    /// <summary>As <see cref="TryToMicros(long, out long)"/>, in place, for the unit with this index.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryToMicros(int unit, ref long value)
    {
        ref readonly var of = ref All[unit];
        var inRange = unchecked((ulong)(value - of.MinRaw)) <= of.Span;
        value = unchecked(value * of.MicrosPerUnit);
        return inRange;
    }

    private static TimeUnit Of(string name, long micros) =>
        new(name, micros, MinUs / micros, (ulong)(TimeGrid.TileOf(MaxUs, micros) - (MinUs / micros)));
}

/// <summary>The instructions that read one record of a writer schema into a batch, and their tables. Immutable; thread-safe.</summary>
internal sealed class DecodeProgram
{
    public required DecodeOp[] Ops { get; init; }

    /// <summary>By instruction: the writer's field, or several where their skips are one instruction. For messages.</summary>
    public required string[] FieldOfOp { get; init; }

    public required SkipNode[] Nodes { get; init; }

    /// <summary>By table and the writer's symbol index: the reader's symbol in UTF-8, null where the reader has none.</summary>
    public required byte[]?[][] Enums { get; init; }

    public required long[] Lanes { get; init; }

    public required byte[][] Texts { get; init; }

    public required string[] Reasons { get; init; }

    /// <summary>Arena bytes that a record can need beyond its own length: symbols and default texts.</summary>
    public required int ExtraText { get; init; }
}
