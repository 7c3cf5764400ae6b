using System.Text;
using StreamMl.Shared.Events;

namespace StreamMl.Infrastructure.Avro;

/// <summary>
/// Compiles (writer schema, reader schema, wanted columns) to a <see cref="DecodeProgram"/>: Avro's schema resolution, done once. Beyond the
/// specification: where writer and reader both name a unit of time, the instant is kept (millis are not read as micros).
/// </summary>
internal sealed class ProgramCompiler
{
    private readonly AvroType writer;
    private readonly AvroType reader;
    private readonly EventSchema batchSchema;
    private readonly string eventTimeField;
    private readonly List<DecodeOp> ops = [];
    private readonly List<string> fieldOfOp = [];
    private readonly List<SkipNode> nodes = [];
    private readonly Dictionary<AvroType, SkipNode> knownNodes = [];
    private readonly List<byte[]?[]> enums = [];
    private readonly List<long> lanes = [];
    private readonly List<byte[]> texts = [];
    private readonly List<string> reasons = [];
    private string field = "";
    private int extraText;

    private ProgramCompiler(AvroType writer, AvroType reader, EventSchema batchSchema, string eventTimeField)
    {
        this.writer = writer;
        this.reader = reader;
        this.batchSchema = batchSchema;
        this.eventTimeField = eventTimeField;
    }

    /// <exception cref="AvroSchemaException">The writer's records cannot be read as the reader's.</exception>
    public static DecodeProgram Compile(AvroType writer, AvroType reader, EventSchema batchSchema, string eventTimeField)
    {
        var compiler = new ProgramCompiler(writer, reader, batchSchema, eventTimeField);
        compiler.CheckWanted();
        var readerOf = compiler.MatchFields();
        foreach (var written in writer.Fields)
            compiler.EmitField(written, readerOf.GetValueOrDefault(written));
        foreach (var missing in reader.Fields.Where(f => !readerOf.ContainsValue(f)))
            compiler.EmitDefault(missing);
        compiler.Emit(new DecodeOp(OpCode.End, false, -1, 0));
        return compiler.Build();
    }

    private DecodeProgram Build() => new()
    {
        Ops = [.. ops],
        FieldOfOp = [.. fieldOfOp],
        Nodes = [.. nodes],
        Enums = [.. enums],
        Lanes = [.. lanes],
        Texts = [.. texts],
        Reasons = [.. reasons],
        ExtraText = extraText,
    };

    private void CheckWanted()
    {
        foreach (var wanted in batchSchema.Fields)
        {
            var type = reader.Fields.Find(f => f.Name == wanted.Name) is { } found ? AvroSchemaReader.FieldTypeOf(found.Type, out _) : null;
            if (type != wanted.Type)
            {
                throw new AvroSchemaException(
                    $"the batch wants field '{wanted.Name}' as {wanted.Type}, the source's schema {reader.Name} has it as {type?.ToString() ?? "no readable field"}",
                    "Project the batch's schema from the source's own EventSchema");
            }
        }

        var time = reader.Fields.Find(f => f.Name == eventTimeField);
        if (time is null || AvroSchemaReader.FieldTypeOf(time.Type, out _) != FieldType.Timestamp)
        {
            throw new AvroSchemaException(
                $"the event time field '{eventTimeField}' of {reader.Name} is {time?.Type.Describe() ?? "not in its schema"}",
                "Name a field of type date, timestamp-millis or timestamp-micros");
        }
    }

    /// <summary>Writer field -> reader field: by name, else by one of the reader's aliases.</summary>
    private Dictionary<AvroFieldType, AvroFieldType> MatchFields()
    {
        var matches = new Dictionary<AvroFieldType, AvroFieldType>(ReferenceEqualityComparer.Instance);
        foreach (var wanted in reader.Fields)
        {
            var written = writer.Fields.Find(w => w.Name == wanted.Name)
                ?? writer.Fields.Find(w => wanted.Aliases.Contains(w.Name) && !reader.Fields.Exists(r => r.Name == w.Name));
            if (written is not null)
                matches.TryAdd(written, wanted);
        }

        return matches;
    }

    private void EmitField(AvroFieldType written, AvroFieldType? wanted)
    {
        field = written.Name;
        var column = wanted is null ? -1 : batchSchema.IndexOf(wanted.Name);
        var isEventTime = wanted?.Name == eventTimeField;
        if (wanted is null || (column < 0 && !isEventTime))
        {
            EmitSkip(written.Type);
            return;
        }

        var target = new Target((short)column, isEventTime, wanted.Type.ValueType(out var nullable)!, nullable && !isEventTime);
        if (written.Type.Kind == AvroKind.Union)
        {
            EmitUnion(written.Type, target);
            return;
        }

        var op = Resolve(written.Type, target);
        if (op.Code == OpCode.Fail)
            throw Unresolvable(written.Type, target);
        EmitValid(target);
        Emit(op);
    }

    private void EmitValid(Target target)
    {
        if (target.Column >= 0 && batchSchema.Fields[target.Column].Nullable)
            Emit(new DecodeOp(OpCode.SetValid, false, target.Column, 0));
    }

    private void EmitUnion(AvroType union, Target target)
    {
        var values = union.Branches.ConvertAll(b => Resolve(b, target));
        if (values.TrueForAll(v => v.Code is OpCode.Fail || (v.Code == OpCode.Null && !v.NullAllowed)))
            throw Unresolvable(union, target);
        var nullAt = union.Branches.FindIndex(b => b.Kind == AvroKind.Null);
        if (union.Branches.Count == 2 && nullAt >= 0)
        {
            if (!target.Nullable)
                EmitValid(target);
            Emit(new DecodeOp(OpCode.NullCheck, target.Nullable, target.Column, nullAt));
            Emit(values[1 - nullAt]);
            return;
        }

        EmitValid(target);
        Emit(new DecodeOp(OpCode.Union, false, -1, values.Count));
        for (var i = 0; i < values.Count; i++)
        {
            Emit(values[i]);
            Emit(new DecodeOp(OpCode.Jump, false, -1, 2 * (values.Count - 1 - i)));
        }
    }

    /// <summary>The one instruction that reads a value written as <paramref name="written"/>; <see cref="OpCode.Fail"/> where the rules have none.</summary>
    private DecodeOp Resolve(AvroType written, Target target)
    {
        if (written.Kind == AvroKind.Null)
            return new DecodeOp(OpCode.Null, target.Nullable, target.Column, 0);
        if (target.Type.IsTimestamp)
            return ResolveTime(written, target);
        OpCode? code = (written.Kind, target.Type.Kind) switch
        {
            (AvroKind.Boolean, AvroKind.Boolean) => OpCode.Boolean,
            (AvroKind.Int, AvroKind.Int or AvroKind.Long) => OpCode.Int,
            (AvroKind.Long, AvroKind.Long) => OpCode.Long,
            (AvroKind.Float, AvroKind.Float or AvroKind.Double) => OpCode.Float,
            (AvroKind.Double, AvroKind.Double) => OpCode.Double,
            (AvroKind.Int, AvroKind.Double) => OpCode.IntAsDouble,
            (AvroKind.Long, AvroKind.Double) => OpCode.LongAsDouble,
            // The specification promotes to the reader's type: a float first, whatever we make of it then.
            (AvroKind.Int, AvroKind.Float) => OpCode.IntAsFloat,
            (AvroKind.Long, AvroKind.Float) => OpCode.LongAsFloat,
            (AvroKind.String, AvroKind.String) => OpCode.Text,
            (AvroKind.Bytes, AvroKind.String) when written.Logical != AvroLogical.Decimal => OpCode.Text,
            (AvroKind.Enum, AvroKind.Enum) => OpCode.Enum,
            _ => null,
        };
        if (code is null)
            return Fail(written, target);
        return new DecodeOp(code.Value, false, target.Column, code == OpCode.Enum ? AddEnum(written, target.Type) : 0);
    }

    private DecodeOp ResolveTime(AvroType written, Target target)
    {
        var fits = written.Kind == AvroKind.Int || (written.Kind == AvroKind.Long && target.Type.Kind == AvroKind.Long);
        if (!fits || written.Logical == AvroLogical.LocalTimestamp)
            return Fail(written, target);
        var unit = TimeUnit.IndexOf(written.IsTimestamp ? written.Logical : target.Type.Logical);
        return new DecodeOp(target.IsEventTime ? OpCode.EventTime : OpCode.Timestamp, false, target.Column, unit);
    }

    private int AddEnum(AvroType written, AvroType wanted)
    {
        var symbols = written.Symbols.Select(s => wanted.Symbols.Contains(s) ? s : wanted.EnumDefault)
            .Select(s => s is null ? null : Encoding.UTF8.GetBytes(s)).ToArray();
        enums.Add(symbols);
        extraText += symbols.Max(s => s?.Length ?? 0);
        return enums.Count - 1;
    }

    private void EmitSkip(AvroType type)
    {
        var node = SkipNode.Of(type, knownNodes);
        var op = type.Kind switch
        {
            _ when node.FixedSize is >= 0 and <= int.MaxValue => new DecodeOp(OpCode.SkipFixed, false, -1, (int)node.FixedSize),
            AvroKind.Int or AvroKind.Long or AvroKind.Enum => new DecodeOp(OpCode.SkipVarints, false, -1, 1),
            AvroKind.String or AvroKind.Bytes => new DecodeOp(OpCode.SkipText, false, -1, 0),
            _ => new DecodeOp(OpCode.SkipNode, false, -1, nodes.Count),
        };
        if (op.Code == OpCode.SkipNode)
            nodes.Add(node);
        if (ops.Count > 0 && ops[^1].Code == op.Code && op.Code is OpCode.SkipFixed or OpCode.SkipVarints && ops[^1].Arg + (long)op.Arg <= int.MaxValue)
        {
            ops[^1] = op with { Arg = ops[^1].Arg + op.Arg };
            fieldOfOp[^1] += $"', '{field}";
            return;
        }

        Emit(op);
    }

    private void EmitDefault(AvroFieldType missing)
    {
        var column = batchSchema.IndexOf(missing.Name);
        field = missing.Name;
        if (missing.Name == eventTimeField)
            throw new AvroSchemaException($"the event time field '{field}' is not in the writer's schema {writer.Name}", "Write it with every event; an event time cannot have a default");
        if (column < 0)
            return;
        if (missing.Default is not { } value)
            throw new AvroSchemaException($"field '{field}' is not in the writer's schema {writer.Name}, and has no default in the reader's", "Give it a default in the source's schema");
        var (lane, text) = FieldDefault.Of(missing, value);
        if (text is not null)
        {
            texts.Add(text);
            extraText += text.Length;
            Emit(new DecodeOp(OpCode.ConstantText, false, (short)column, texts.Count - 1));
        }
        else if (lane is { } constant)
        {
            lanes.Add(constant);
            Emit(new DecodeOp(OpCode.ConstantLane, false, (short)column, lanes.Count - 1));
        }
        else
        {
            Emit(new DecodeOp(OpCode.Null, true, (short)column, 0));
        }
    }

    private void Emit(DecodeOp op)
    {
        ops.Add(op);
        fieldOfOp.Add(field);
    }

    private DecodeOp Fail(AvroType written, Target target)
    {
        reasons.Add($"a value written as {written.Describe()} cannot be read as {target.Type.Describe()}");
        return new DecodeOp(OpCode.Fail, false, target.Column, reasons.Count - 1);
    }

    private AvroSchemaException Unresolvable(AvroType written, Target target) => new(
        $"field '{field}' of {writer.Name} is written as {written.Describe()} and read as {(target.Nullable ? "nullable " : "")}{target.Type.Describe()}",
        "Avro promotes int to long to float to double and string to bytes and back; change the source's schema to a type that can read what is written");

    /// <summary>Where a value goes: <paramref name="Type"/> is the reader's, without its null.</summary>
    private readonly record struct Target(short Column, bool IsEventTime, AvroType Type, bool Nullable);
}
