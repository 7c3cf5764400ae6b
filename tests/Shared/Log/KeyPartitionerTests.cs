using System.Text;
using StreamMl.Shared.Log;

namespace StreamMl.Shared.Tests.Log;

public sealed class KeyPartitionerTests
{
    /// <summary>librdkafka's own vectors (src/rdmurmur2.c, unittest_murmur2), which it takes from the Java client.</summary>
    [Theory]
    [InlineData("kafka", 0xd067cf64u)]
    [InlineData("giberish123456789", 0x8f552b0cu)]
    [InlineData("1234", 0x9fc97b14u)]
    [InlineData("234", 0xe7c009cau)]
    [InlineData("34", 0x873930dau)]
    [InlineData("4", 0x5a4b5ca1u)]
    [InlineData("PreAmbleWillBeRemoved,ThePrePartThatIs", 0x78424f1cu)]
    [InlineData("reAmbleWillBeRemoved,ThePrePartThatIs", 0x4a62b377u)]
    [InlineData("eAmbleWillBeRemoved,ThePrePartThatIs", 0xe0e4e09eu)]
    [InlineData("AmbleWillBeRemoved,ThePrePartThatIs", 0x62b8b43fu)]
    [InlineData("", 0x106e08d9u)]
    public void Murmur2_LibrdkafkaVectors_SameHash(string key, uint expected) =>
        KeyPartitioner.Murmur2(Encoding.UTF8.GetBytes(key)).ShouldBe(expected);

    /// <summary>The Java client's vectors (UtilsTest.testMurmur2).</summary>
    [Theory]
    [InlineData("21", -973932308)]
    [InlineData("foobar", -790332482)]
    [InlineData("a-little-bit-long-string", -985981536)]
    [InlineData("a-little-bit-longer-string", -1486304829)]
    [InlineData("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971)]
    [InlineData("abc", 479470107)]
    public void Murmur2_JavaVectors_SameHash(string key, int expected) =>
        ((int)KeyPartitioner.Murmur2(Encoding.UTF8.GetBytes(key))).ShouldBe(expected);

    [Fact]
    public void PartitionOf_NegativeHash_DropsTheSignBitAsKafkaDoes() =>
        KeyPartitioner.PartitionOf("kafka"u8, 7).ShouldBe((int)((0xd067cf64u & 0x7fffffffu) % 7));
}
