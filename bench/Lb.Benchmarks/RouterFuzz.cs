using System.Globalization;
using Lb.Vrrp;

namespace Lb.Benchmarks;

/// <summary>
/// Throws packets of any kind at a whole virtual router: random bytes, good adverts with bits turned, cut off or gone on. None may throw, cost memory, or
/// change the state unless it is a right advert that says so.
/// </summary>
internal static class RouterFuzz
{
    public static int Run(string[] args)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        int inputs = args.Length > 0 ? int.Parse(args[0], culture) : 10_000_000;
        Random random = new(args.Length > 1 ? int.Parse(args[1], culture) : 1);

        // The highest priority that is not the owner's: a right advert may make it Backup only with 255, and one bit does not make one.
        RouterRig rig = new(priority: 254);
        TimeSpan now = rig.Router.Deadline;
        rig.Router.Advance(now);
        if (rig.Router.State != RouterState.Active) throw new InvalidOperationException("The router is not Active.");
        byte[] good = RouterRig.Advert(priority: 200), buffer = new byte[512];
        Throw(100_000);
        long taken = rig.Router.Statistics.AdvertisementsReceived, before = GC.GetAllocatedBytesForCurrentThread(), began = TimeProvider.System.GetTimestamp();
        Throw(inputs);
        TimeSpan time = TimeProvider.System.GetElapsedTime(began);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        taken = rig.Router.Statistics.AdvertisementsReceived - taken;
        Console.WriteLine(string.Create(culture,
            $"{inputs} inputs in {time.TotalSeconds:F1} s, {time.TotalNanoseconds / inputs:F0} ns each; {taken} counted as adverts; {allocated} bytes allocated; state {rig.Router.State}"));

        // Turned bits that make a right advert of lower priority answer for the lines that are logged of them; those are told once a minute.
        bool passed = rig.Router.State == RouterState.Active && allocated < 1_000_000;
        Console.WriteLine(passed ? "pass" : "FAIL");
        return passed ? 0 : 1;

        void Throw(int count)
        {
            for (int i = 0; i < count; i++)
            {
                int length = Next(random, good, buffer);
                rig.Receive(buffer.AsSpan(0, length), now += TimeSpan.FromMicroseconds(1), random.Next(50) == 0 ? random.Next(256) : 255);
            }
        }
    }

    private static int Next(Random random, byte[] good, byte[] buffer)
    {
        if (random.Next(4) == 0)
        {
            int length = random.Next(buffer.Length);
            random.NextBytes(buffer.AsSpan(0, length));
            return length;
        }

        good.CopyTo(buffer, 0);
        for (int i = random.Next(4); i > 0; i--) buffer[random.Next(good.Length)] ^= (byte)(1 << random.Next(8));
        return random.Next(5) == 0 ? random.Next(buffer.Length) : good.Length;
    }
}
