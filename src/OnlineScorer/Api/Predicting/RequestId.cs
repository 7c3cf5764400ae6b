using System.IO.Hashing;

namespace StreamMl.OnlineScorer.Api.Predicting;

/// <summary>Names a prediction by what it is a function of: model, time, positions and values. The same ones give the same id. Pure.</summary>
internal static class RequestId
{
    public static string Of(PredictWork work, int row)
    {
        var hash = new XxHash128();
        Add(hash, work.Read.AsOfUs(row));
        for (var view = 0; view < work.Model.Service.Views.Count; view++)
        {
            ref readonly var answer = ref work.Read.Answer(row, view);
            Add(hash, answer.Partition);
            Add(hash, answer.NextOffset);
        }

        var vector = work.Session.Vector;
        for (var input = 0; input < vector.Lanes.Length; input++)
        {
            Add(hash, vector.Valid[input]);
            if (vector.Valid[input] != 0 && work.Model.Inputs[input].Type == Shared.Events.FieldType.String)
                hash.Append(vector.Arena.Slice(vector.Lanes[input]));
            else
                Add(hash, vector.Lanes[input]);
        }

        for (var slot = 0; slot < work.Model.Service.Program.Keys.Count; slot++)
        {
            Add(hash, work.Read.TryGetKey(row, slot, out var text) ? text.Length : -1);
            hash.Append(text);
        }

        Span<byte> digest = stackalloc byte[16];
        hash.GetHashAndReset(digest);
        return $"{work.Model.Version}/request/{Convert.ToHexStringLower(digest)}";
    }

    private static void Add(XxHash128 hash, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        hash.Append(bytes);
    }
}
