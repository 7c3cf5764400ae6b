using CsCheck;
using StreamMl.Infrastructure.Avro;

namespace StreamMl.Infrastructure.Tests.Avro;

public sealed class AvroBufferTests
{
    [Fact]
    public void Long_AnyValues_AreTheBytesOfTheNaiveWriter()
    {
        // Of every length: a shift makes small ones as likely as large ones.
        var values = Gen.Select(Gen.Long, Gen.Int[0, 63], (value, shift) => value >> shift).Array[1, 300];
        values.Sample(longs =>
        {
            var buffer = new AvroBuffer();
            var naive = new List<byte>();
            foreach (var value in longs)
            {
                buffer.Long(value);
                AddNaively(naive, value);
            }

            return buffer.Written.SequenceEqual(naive.ToArray());
        });
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(63L)]
    [InlineData(64L)]
    [InlineData(-64L)]
    [InlineData(-65L)]
    [InlineData((1L << 55) - 1)]
    [InlineData(1L << 55)]
    [InlineData(-(1L << 55))]
    [InlineData(-(1L << 55) - 1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Long_AtTheEdges_IsTheBytesOfTheNaiveWriter(long value)
    {
        var buffer = new AvroBuffer();
        var naive = new List<byte>();
        buffer.Long(value);
        AddNaively(naive, value);
        buffer.Written.ToArray().ShouldBe(naive);
    }

    [Fact]
    public void NullableDouble_ThereAndNot_IsAUnionOfNullAndDouble()
    {
        var (one, other) = (new AvroBuffer(), new AvroBuffer());
        for (var i = 0; i < 1_000; i++)
        {
            var isThere = i % 3 != 0;
            one.NullableDouble(isThere, BitConverter.DoubleToInt64Bits(i / 7.0));
            other.Long(isThere ? 1 : 0);
            if (isThere)
                other.Double(i / 7.0);
        }

        one.Written.SequenceEqual(other.Written).ShouldBeTrue();
    }

    private static void AddNaively(List<byte> into, long value)
    {
        var raw = (ulong)((value << 1) ^ (value >> 63));
        for (; raw >= 128; raw /= 128)
            into.Add((byte)((raw % 128) + 128));
        into.Add((byte)raw);
    }
}
