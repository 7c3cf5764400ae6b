namespace StreamMl.Training.Ensembles;

/// <summary>
/// A linear function of few columns by ridge regression, or by logistic regression with Newton's method (iteratively reweighted least squares). Pure.
/// </summary>
internal static class LinearMeta
{
    private const double Ridge = 1e-3;
    private const int MaxIterations = 50;

    /// <param name="columns">The members' raw scores, column by column.</param>
    /// <param name="labels">One per row; 0 or 1 where logistic.</param>
    public static (double Bias, double[] Weights) Fit(double[][] columns, double[] labels, bool isLogistic)
    {
        var size = columns.Length + 1;
        var beta = new double[size];
        for (var iteration = 0; iteration < (isLogistic ? MaxIterations : 1); iteration++)
        {
            var (hessian, gradient) = Normal(columns, labels, beta, isLogistic);
            var step = Solve(hessian, gradient);
            for (var j = 0; j < size; j++)
                beta[j] += step[j];
            if (step.Max(Math.Abs) < 1e-9)
                break;
        }

        return (beta[0], beta[1..]);
    }

    private static (double[,] Hessian, double[] Gradient) Normal(double[][] columns, double[] labels, double[] beta, bool isLogistic)
    {
        var size = beta.Length;
        var (hessian, gradient, x) = (new double[size, size], new double[size], new double[size]);
        x[0] = 1;
        for (var row = 0; row < labels.Length; row++)
        {
            var sum = beta[0];
            for (var j = 1; j < size; j++)
                sum += beta[j] * (x[j] = columns[j - 1][row]);
            var mean = isLogistic ? 1 / (1 + Math.Exp(-sum)) : sum;
            var weight = isLogistic ? Math.Max(1e-9, mean * (1 - mean)) : 1;
            for (var j = 0; j < size; j++)
            {
                gradient[j] += (labels[row] - mean) * x[j];
                for (var k = 0; k < size; k++)
                    hessian[j, k] += weight * x[j] * x[k];
            }
        }

        // The bias is not drawn towards 0.
        for (var j = 1; j < size; j++)
        {
            hessian[j, j] += Ridge * labels.Length;
            gradient[j] -= Ridge * labels.Length * beta[j];
        }

        return (hessian, gradient);
    }

    /// <summary>Gaussian elimination with partial pivoting; few unknowns.</summary>
    private static double[] Solve(double[,] a, double[] b)
    {
        var size = b.Length;
        for (var p = 0; p < size; p++)
        {
            var best = p;
            for (var r = p + 1; r < size; r++)
                best = Math.Abs(a[r, p]) > Math.Abs(a[best, p]) ? r : best;
            for (var c = 0; c < size; c++)
                (a[p, c], a[best, c]) = (a[best, c], a[p, c]);
            (b[p], b[best]) = (b[best], b[p]);
            for (var r = p + 1; r < size; r++)
            {
                var factor = a[r, p] / a[p, p];
                for (var c = p; c < size; c++)
                    a[r, c] -= factor * a[p, c];
                b[r] -= factor * b[p];
            }
        }

        for (var p = size - 1; p >= 0; p--)
        {
            for (var c = p + 1; c < size; c++)
                b[p] -= a[p, c] * b[c];
            b[p] /= a[p, p];
        }

        return b;
    }
}
