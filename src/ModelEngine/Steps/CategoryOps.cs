using System.IO.Hashing;
using StreamMl.Shared.Features;

namespace StreamMl.ModelEngine.Steps;

/// <param name="own">Categories that have a register of their own; those after them share the next one.</param>
/// <param name="other">Register offset of rare categories, or -1.</param>
/// <param name="missing">Register offset of missing values, or -1.</param>
internal sealed class OneHotOp(CategoryReader reader, CategoryTable table, int own, int other, int missing, int first, int count) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        Span<byte> buffer = stackalloc byte[CategoryReader.NumberBytes];
        var index = missing;
        if (reader.TryRead(row, registers, buffer, out var category))
        {
            index = table.Find(category);
            if (index >= own)
                index = other;
        }

        SetOne(registers, first, count, index);
    }
}

internal sealed class CodeOp(CategoryReader reader, CategoryTable table, int target) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        Span<byte> buffer = stackalloc byte[CategoryReader.NumberBytes];
        var index = reader.TryRead(row, registers, buffer, out var category) ? table.Find(category) : -1;
        registers[target] = index < 0 ? double.NaN : index;
    }
}

internal sealed class HashOp(CategoryReader reader, int buckets, long seed, bool slots, int first) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        Span<byte> buffer = stackalloc byte[CategoryReader.NumberBytes];
        var bucket = reader.TryRead(row, registers, buffer, out var category) ? CategoryReader.Bucket(category, buckets, seed) : -1;
        if (slots)
            SetOne(registers, first, buckets, bucket);
        else
            registers[first] = bucket < 0 ? double.NaN : bucket;
    }
}

/// <param name="values">Values of category after category, as many each as there are priors.</param>
/// <param name="priors">What a missing or unknown category gives.</param>
internal sealed class TargetEncodeOp(CategoryReader reader, CategoryTable table, double[] values, double[] priors, int first) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        Span<byte> buffer = stackalloc byte[CategoryReader.NumberBytes];
        var index = reader.TryRead(row, registers, buffer, out var category) ? table.Find(category) : -1;
        var source = index < 0 ? priors : values.AsSpan(index * priors.Length, priors.Length);
        source.CopyTo(registers.AsSpan(first));
    }
}

/// <summary>Target encoding of a row that was fitted on: from the folds that the row is not in.</summary>
internal sealed class OutOfFoldOp(CategoryReader reader, CategoryTable table, OutOfFoldTable folds, int first) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        Span<byte> buffer = stackalloc byte[CategoryReader.NumberBytes];
        var index = reader.TryRead(row, registers, buffer, out var category) ? table.Find(category) : -1;
        folds.Values(index, scratch.FoldKey).CopyTo(registers.AsSpan(first));
    }
}

/// <summary>Reads two or three categories as one: the 16 bytes of the XxHash128 of each, one after the other.</summary>
internal sealed class CrossReader(CategoryReader[] readers)
{
    private const int HashBytes = 16;
    public const int MaxBytes = 3 * HashBytes;

    public IReadOnlyList<CategoryReader> Readers => readers;

    public bool TryRead(FeatureRow row, double[] registers, Span<byte> buffer, out ReadOnlySpan<byte> combination)
    {
        Span<byte> number = stackalloc byte[CategoryReader.NumberBytes];
        combination = buffer[..(readers.Length * HashBytes)];
        for (var i = 0; i < readers.Length; i++)
        {
            if (!readers[i].TryRead(row, registers, number, out var category))
                return false;
            XxHash128.Hash(category, buffer[(i * HashBytes)..]);
        }

        return true;
    }

    public byte[] Bytes(IReadOnlyList<string> combination)
    {
        if (combination.Count != readers.Length)
            throw PipelineCompiler.Unsound($"the combination {string.Join(" x ", combination)} has {combination.Count} parts and the cross has {readers.Length}");
        return [.. readers.Zip(combination).SelectMany(p => XxHash128.Hash(p.First.Bytes(p.Second)))];
    }
}

internal sealed class CrossHashOp(CrossReader reader, int buckets, long seed, int target) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        Span<byte> buffer = stackalloc byte[CrossReader.MaxBytes];
        registers[target] = reader.TryRead(row, registers, buffer, out var combination) ? CategoryReader.Bucket(combination, buckets, seed) : double.NaN;
    }
}

internal sealed class CrossDictionaryOp(CrossReader reader, CategoryTable table, int target) : EncodeOp
{
    public override void Run(FeatureRow row, double[] registers, EncodeScratch scratch)
    {
        Span<byte> buffer = stackalloc byte[CrossReader.MaxBytes];
        var index = reader.TryRead(row, registers, buffer, out var combination) ? table.Find(combination) : -1;
        registers[target] = index < 0 ? double.NaN : index;
    }
}
