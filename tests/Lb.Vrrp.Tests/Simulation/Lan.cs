using Lb.Testing;

namespace Lb.Vrrp.Tests;

/// <summary>Networks that tests share, and the times of the RFC, computed anew here.</summary>
internal static class Lan
{
    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>RFC 9568 6.1, RFC 3768 6.1: three intervals and the skew.</summary>
    public static TimeSpan Down(int version, int priority, TimeSpan interval) => TimeSpan.FromTicks((3 * interval.Ticks) + Skew(version, priority, interval).Ticks);

    public static TimeSpan Skew(int version, int priority, TimeSpan interval) => TimeSpan.FromTicks((version == 2 ? TimeSpan.TicksPerSecond : interval.Ticks) * (256 - priority) / 256);

    /// <summary>Two nodes of an interval, a with priority 150, b with 100, after they have settled with a as Active.</summary>
    public static (VrrpSimulation Lan, VrrpNode A, VrrpNode B) Pair(double interval = 1, int seed = 1, Action<RouterOptions>? both = null, bool plainA = false, bool plainB = false)
    {
        VrrpSimulation lan = new(seed);
        VrrpNode a = Add("a", "192.0.2.1", 150, plainA), b = Add("b", "192.0.2.2", 100, plainB);
        lan.Run(Seconds(interval * 4.7) + Seconds(1));
        Assert.Equal(["a"], lan.ActiveNodes);
        return (lan, a, b);

        VrrpNode Add(string name, string address, int priority, bool isPlain)
        {
            void Configure(RouterOptions options)
            {
                options.Priority = priority;
                options.AdvertisementInterval = Seconds(interval);
                both?.Invoke(options);
            }

            return isPlain ? lan.AddPlainNode(name, address, Configure) : lan.AddNode(name, address, Configure);
        }
    }

    public static IEnumerable<RouterMismatch> Findings(this VrrpNode node) => node.Events.OfType<RouterMismatch>();

    public static TimeSpan Longest(this IEnumerable<VrrpSimulationSpan> spans) => spans.Select(static s => s.Length).DefaultIfEmpty().Max();
}
