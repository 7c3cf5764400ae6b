namespace StreamMl.ModelEngine.Trees;

/// <summary>A slot of a path, the share of rows that follow it when the slot is unknown, and whether (1 or 0) this row does when it is known.</summary>
internal struct PathElement
{
    public int Slot;
    public double Zero;
    public double One;

    /// <summary>Of the subsets of the path's slots with as many members as elements stand before this one: their share of all orders, times their value.</summary>
    public double Weight;
}

/// <summary>TreeSHAP's EXTEND and UNWIND: the weights of a path's subsets by size, with a slot more or less.</summary>
internal static class SubsetWeights
{
    /// <summary>Adds the last element, whose room is there.</summary>
    public static void Extend(Span<PathElement> path, double zero, double one, int slot)
    {
        var last = path.Length - 1;
        path[last] = new PathElement { Slot = slot, Zero = zero, One = one, Weight = last == 0 ? 1 : 0 };
        for (var i = last - 1; i >= 0; i--)
        {
            path[i + 1].Weight += one * path[i].Weight * (i + 1) / (last + 1);
            path[i].Weight = zero * path[i].Weight * (last - i) / (last + 1);
        }
    }

    /// <summary>Takes an element away again, and what it did to the weights; the path is one shorter then.</summary>
    public static void Unwind(Span<PathElement> path, int at)
    {
        var last = path.Length - 1;
        var (one, zero) = (path[at].One, path[at].Zero);
        var next = path[last].Weight;
        for (var j = last - 1; j >= 0; j--)
        {
            if (one != 0)
            {
                var weight = path[j].Weight;
                path[j].Weight = next * (last + 1) / ((j + 1) * one);
                next = weight - (path[j].Weight * zero * (last - j) / (last + 1));
            }
            else
            {
                path[j].Weight = path[j].Weight * (last + 1) / (zero * (last - j));
            }
        }

        for (var j = at; j < last; j++)
            (path[j].Slot, path[j].Zero, path[j].One) = (path[j + 1].Slot, path[j + 1].Zero, path[j + 1].One);
    }

    /// <summary>The sum of the weights that <see cref="Unwind"/> would leave.</summary>
    public static double UnwoundSum(ReadOnlySpan<PathElement> path, int at)
    {
        var last = path.Length - 1;
        var (one, zero) = (path[at].One, path[at].Zero);
        var next = path[last].Weight;
        var total = 0.0;
        for (var j = last - 1; j >= 0; j--)
        {
            if (one != 0)
            {
                var weight = next * (last + 1) / ((j + 1) * one);
                total += weight;
                next = path[j].Weight - (weight * zero * (last - j) / (last + 1));
            }
            else
            {
                total += path[j].Weight / zero * (last + 1) / (last - j);
            }
        }

        return total;
    }
}
