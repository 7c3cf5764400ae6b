using System.Text;
using CsCheck;
using StreamMl.FeatureEngine.Tiles;
using StreamMl.FeatureEngine.Views;
using StreamMl.Shared.Log;

namespace StreamMl.FeatureEngine.Tests;

public sealed class EntityInternerTests
{
    private static readonly Gen<byte[]> Key = Gen.Frequency((4, Gen.Byte[97, 99].Array[0, 5]), (2, Gen.Byte.Array[0, 20]), (1, Gen.Byte.Array[21, 300]));

    [Fact]
    public void Intern_AnyKeys_GivesDenseIdsLikeADictionary() => Key.Array[0, 300].Sample(
        keys =>
        {
            var interner = new EntityInterner();
            var expected = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var key in keys)
            {
                var text = Convert.ToHexString(key);
                interner.TryFind(key, out _).ShouldBe(expected.ContainsKey(text));
                expected.TryAdd(text, expected.Count);
                interner.Intern(key).ShouldBe(expected[text]);
            }

            interner.Count.ShouldBe(expected.Count);
            foreach (var (text, id) in expected)
                Convert.ToHexString(interner.KeyOf(id)).ShouldBe(text);
        },
        iter: 300);

    [Theory]
    [InlineData(null)]
    [InlineData("n >= 0")]
    public void InternBatch_KeysWithAndWithoutEscapes_EqualsInternOfTheCanonicalKey(string? filter) =>
        Gen.Select(EngineLab.OneOf<string?>("a", "b", "entity-000017", null, "a|b", "c\\d", ""), Gen.Long[-1, 3]).Array[0, 200].Sample(
            rows =>
            {
                using var states = new ViewStates(ViewProgram.Compile(EngineLab.View(["1m"], [new("count"), new("sum", "n")]) with { Filter = filter }, EngineLab.Source));
                var input = new ViewInput(states.Program, EngineLab.Schema);
                var batch = EngineLab.Batch(rows.Select((r, i) => new NaiveEvent(i, i, long.MinValue, r.Item1, EngineLab.Row(r.Item1, n: r.Item2))));
                input.Bind(batch);
                var ids = new int[batch.Count];
                states.InternBatch(input, 0, batch.Count, ids);
                for (var i = 0; i < rows.Length; i++)
                {
                    var (key, n) = rows[i];
                    input.IsFiltered(i).ShouldBe(key is null || (filter is not null && n < 0));
                    if (input.IsFiltered(i))
                        ids[i].ShouldBe(-1);
                    else
                        Encoding.UTF8.GetString(states.KeyOf(ids[i])).ShouldBe(Encoding.UTF8.GetString(EntityKey.FromTexts([key!])));
                }
            },
            iter: 300);
}
