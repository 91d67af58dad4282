using System.Globalization;
using Lb.Vrrp;
using Microsoft.Extensions.Logging;

namespace Lb.Benchmarks;

/// <summary>
/// Throws packets of any kind at whole virtual routers of both versions and families: random bytes, good adverts with bits turned, cut off or gone on. Each
/// is judged here once more, in the plainest way: a faulty one may count as discarded and do nothing else. None may throw, or cost memory unless it is told of.
/// </summary>
internal static class RouterFuzz
{
    private const int Priority = 254;

    public static int Run(string[] args)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        int inputs = args.Length > 0 ? int.Parse(args[0], culture) : 10_000_000;
        Random random = new(args.Length > 1 ? int.Parse(args[1], culture) : 1);
        Target[] targets = [new(3, isV6: false), new(2, isV6: false), new(3, isV6: true)];
        byte[] buffer = new byte[512];
        string? failure = Throw(300_000);
        foreach (Target target in targets) target.BeginMeasuring();
        long began = TimeProvider.System.GetTimestamp();
        failure ??= Throw(inputs);
        TimeSpan time = TimeProvider.System.GetElapsedTime(began);
        Console.WriteLine(string.Create(culture, $"{inputs} inputs in {time.TotalSeconds:F1} s, {time.TotalNanoseconds / inputs:F0} ns each"));
        foreach (Target target in targets)
        {
            Console.WriteLine(target);
            if (target.Taken == 0 || target.Refused == 0) failure ??= "No advert was right, or none was wrong: nothing is proven.";
        }

        Console.WriteLine(failure ?? "pass");
        return failure is null ? 0 : 1;

        string? Throw(int count)
        {
            for (int i = 0; i < count; i++)
            {
                Target target = targets[i % targets.Length];
                int length = Next(random, target.Good, buffer);
                if (target.Receive(buffer.AsSpan(0, length), random.Next(50) == 0 ? random.Next(256) : 255) is { } fault)
                    return string.Create(culture, $"FAIL: {target}, input {i}: {fault}: {Convert.ToHexStringLower(buffer, 0, length)}");
            }

            return null;
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

    /// <summary>A router that is Active, and what it has to make of each input.</summary>
    private sealed class Target
    {
        private readonly int _version;
        private readonly bool _isV6;
        private readonly Told _told = new();
        private readonly RouterRig _rig;
        private readonly byte[] _pseudo;
        private readonly byte[] _address;
        private TimeSpan _now;
        private long _costly;
        private bool _isMeasuring;

        public Target(int version, bool isV6)
        {
            (_version, _isV6) = (version, isV6);
            _rig = new RouterRig(Priority, version, isV6, _told);
            _address = isV6 ? Convert.FromHexString("fe800000000000000000000000000100") : [192, 0, 2, 100];
            _pseudo = Convert.FromHexString(isV6 ? "fe800000000000000000000000000002ff020000000000000000000000000012" : "c0000202e0000012");
            Good = [(byte)((version << 4) | 1), 51, 200, 1, 0, (byte)(version == 2 ? 1 : 100), 0, 0, .. _address, .. new byte[version == 2 ? 8 : 0]];
            int sum = 0xFFFF - Sum(Good, withPseudo: isV6);
            (Good[6], Good[7]) = ((byte)(sum >> 8), (byte)sum);
            BecomeActive();
        }

        /// <summary>A right advert of lower priority.</summary>
        public byte[] Good { get; }

        public long Taken { get; private set; }

        public long Refused { get; private set; }

        /// <summary>Counts anew, and takes memory amiss from now on: before, the runtime's own for code that runs for the first time is among it.</summary>
        public void BeginMeasuring() => (Taken, Refused, _costly, _isMeasuring) = (0, 0, 0, true);

        /// <summary>Hands an input in.</summary>
        /// <returns>What is wrong with what came of it; null = nothing.</returns>
        public string? Receive(ReadOnlySpan<byte> message, int timeToLive)
        {
            bool isRight = IsRight(message, timeToLive);
            RouterStatistics statistics = _rig.Router.Statistics;
            Counters before = Counters.Of(statistics);
            (long discarded, long told) = (statistics.DiscardedTotal, _told.Count);
            _now += TimeSpan.FromMicroseconds(1);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            _rig.Receive(message, _now, timeToLive);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            RouterState state = _rig.Router.State;
            Counters after = Counters.Of(statistics);
            if (allocated != 0)
            {
                _costly++;
                if (_isMeasuring && _told.Count == told) return $"{allocated} bytes allocated and nothing told";
            }

            if (!isRight)
            {
                Refused++;
                if (state != RouterState.Active) return $"it is faulty, and the router became {state}";
                if (statistics.DiscardedTotal != discarded + 1) return "it is faulty and was not discarded";
                return after == before ? null : $"it is faulty, and counted: {before} to {after}";
            }

            Taken++;
            if (statistics.DiscardedTotal != discarded) return "it is right and was discarded";
            if (after.Received != before.Received + 1) return "it is right and was not counted";

            // The source's address is above ours: a tie is lost.
            RouterState expected = message[2] >= Priority ? RouterState.Backup : RouterState.Active;
            if (state != expected) return $"of priority {message[2]}, and the router is {state}";
            if (state != RouterState.Active) BecomeActive();
            return null;
        }

        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"version {_version}, {(_isV6 ? "IPv6" : "IPv4")}: {Taken} taken, {Refused} discarded, {_costly} told of and allocated for");

        private void BecomeActive()
        {
            _now = _rig.Router.Deadline;
            _rig.Router.Advance(_now);
            if (_rig.Router.State != RouterState.Active) throw new InvalidOperationException("The router is not Active.");
        }

        // RFC 9568 5.2 and 7.1, RFC 3768 5.3 and 7.1, one after the other.
        private bool IsRight(ReadOnlySpan<byte> message, int timeToLive)
        {
            if (timeToLive != 255 || message.Length < 8) return false;
            if (message[0] != ((_version << 4) | 1) || message[1] != 51 || message[3] == 0) return false;
            if (message.Length != 8 + message[3] * _address.Length + (_version == 2 ? 8 : 0)) return false;
            bool isSum = (!_isV6 && Sum(message, withPseudo: false) == 0xFFFF) || (_version == 3 && Sum(message, withPseudo: true) == 0xFFFF);
            if (!isSum) return false;
            if (_version == 3) return (message[4] & 0xF) != 0 || message[5] != 0;

            // Type of authentication, interval, addresses: only the owner's may differ.
            if (message[4] != 0 || message[5] != 1) return false;
            return message[2] == 255 || (message[3] == 1 && message.Slice(8, 4).SequenceEqual(_address));
        }

        private int Sum(ReadOnlySpan<byte> message, bool withPseudo)
        {
            long sum = 0;
            for (int i = 0; i < message.Length; i++) sum += i % 2 == 0 ? message[i] * 256 : message[i];
            if (withPseudo)
            {
                for (int i = 0; i < _pseudo.Length; i++) sum += i % 2 == 0 ? _pseudo[i] * 256 : _pseudo[i];
                sum += 112 + message.Length;
            }

            while (sum > 0xFFFF) sum = sum / 0x10000 + sum % 0x10000;
            return (int)sum;
        }
    }

    private readonly record struct Counters(long Received, long Sent, long Active, long Released, long ResignationsReceived, long ResignationsSent, long Lower, long Failures, long Announcements, long Dual, long Pauses, long Restored)
    {
        public static Counters Of(RouterStatistics s) => new(s.AdvertisementsReceived, s.AdvertisementsSent, s.BecameActive, s.ReleasedActive, s.ResignationsReceived,
            s.ResignationsSent, s.LowerPriorityReceived, s.SendFailures, s.Announcements, s.DualActive, s.Pauses, s.AddressesRestored);
    }

    /// <summary>Counts the lines that are logged: the only thing that may cost memory.</summary>
    private sealed class Told : ILogger
    {
        public long Count { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Count++;
    }
}
