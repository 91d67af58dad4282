namespace Lb.Health.Tests.Monitoring;

/// <summary>Fractions by script, over and over.</summary>
internal sealed class ScriptedFractions(params double[] fractions) : Random
{
    private int _drawn;

    public override double NextDouble() => fractions[_drawn++ % fractions.Length];
}
