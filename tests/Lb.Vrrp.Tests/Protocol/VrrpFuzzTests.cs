namespace Lb.Vrrp.Tests;

/// <summary>Outside bytes never throw, count exactly when a judge of its own says so, and cost no memory.</summary>
[Trait("Row", "V1")]
[Trait("Point", "59")]
public sealed class VrrpFuzzTests
{
    private static readonly byte[] Ours = Wire.Bytes("10.77.0.200", "10.77.0.201"), Ours6 = Wire.Bytes("fe80::100");

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_and_mutated_messages_count_when_they_are_right_and_allocate_nothing(int seed)
    {
        Random random = new(seed);
        byte[] seed6 = Wire.Version3(51, 100, 100, Ours6, 16);
        NaiveVerdict.Sum(seed6, NaiveVerdict.Pseudo("fe80::1", "ff02::12"));
        byte[][] seeds = [Wire.Version3(51, 100, 100, Ours), Wire.Version2(51, 100, 1, Ours), Wire.Version2(51, 100, 1, Ours, 1, "secret"), seed6];
        Dictionary<int, byte[]> keys = new() { [1] = new byte[32] };
        ReceiveRules[] rules =
        [
            Wire.Rules(), Wire.Rules(2), Wire.Rules(2, VrrpAuthentication.Pass("secret"u8)), Wire.Rules(alsoVersion2: true), Wire.Rules(check: true), Wire.Rules(strict: true),
            Wire.Rules(authentication: VrrpAuthentication.Hmac(keys, VrrpHmacMode.Enforce, VrrpReplay.Time, TimeSpan.FromSeconds(1))),
            new ReceiveRules { RouterId = 51, IsV6 = true, Interval = TimeSpan.FromSeconds(1), Addresses = Ours6 },
        ];
        VrrpDatagram from6 = Wire.From("fe80::1", "ff02::12");
        byte[] pseudo4 = NaiveVerdict.Pseudo("10.77.0.1", "224.0.0.18"), pseudo6 = NaiveVerdict.Pseudo("fe80::1", "ff02::12");
        byte[] buffer = new byte[512];
        HashSet<ReceiveFault> faults = [];
        List<string> wrong = [];
        int good = 0;

        for (int warmUp = 0; warmUp < 2; warmUp++)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 20_000; i++)
            {
                int length = Mutate(random, seeds[i % seeds.Length], buffer);
                ReceiveRules used = rules[random.Next(rules.Length)];

                // Every other one with a right sum, so that what comes after it is reached too.
                if (random.Next(2) == 0 && length >= 8) NaiveVerdict.Sum(buffer.AsSpan(0, length), used.IsV6 ? pseudo6 : random.Next(2) == 0 ? pseudo4 : []);
                ReceiveFault fault = VrrpReader.Read(buffer.AsSpan(0, length), used.IsV6 ? from6 : Wire.From4, used, Wire.Utc, out _);
                if (warmUp == 1) continue;
                faults.Add(fault);
                bool expected = NaiveVerdict.Counts(buffer.AsSpan(0, length), used, used.IsV6 ? pseudo6 : pseudo4);
                if (expected) good++;
                if (expected != (fault == ReceiveFault.None)) wrong.Add($"{fault}: {Convert.ToHexStringLower(buffer, 0, length)}");
            }

            if (warmUp == 1) Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 0);
        }

        Assert.Empty(wrong);
        Assert.True(faults.Count >= 10 && good > 500, $"{good}; {string.Join(", ", faults)}");
    }

    private static int Mutate(Random random, byte[] seed, byte[] buffer)
    {
        if (random.Next(4) == 0)
        {
            int length = random.Next(buffer.Length);
            random.NextBytes(buffer.AsSpan(0, length));
            return length;
        }

        buffer.AsSpan().Clear();
        seed.CopyTo(buffer, 0);
        int flips = random.Next(4);
        for (int i = 0; i < flips; i++) buffer[random.Next(seed.Length)] ^= (byte)(1 << random.Next(8));
        return random.Next(5) == 0 ? random.Next(buffer.Length) : seed.Length;
    }

    [Fact]
    [Trait("Row", "V31")]
    public void Sending_and_receiving_allocate_nothing()
    {
        VrrpAuthentication authentication = VrrpAuthentication.Hmac(new Dictionary<int, byte[]> { [1] = new byte[32] }, VrrpHmacMode.Enforce, VrrpReplay.Time, TimeSpan.FromSeconds(1));
        VrrpWriter writer = new(3, 51, TimeSpan.FromSeconds(1), Ours, isV6: false, authentication);
        writer.Use(Wire.Ip("10.77.0.1"), Wire.Ip("224.0.0.18"));
        ReceiveRules rules = Wire.Rules(authentication: authentication);
        VrrpMachine machine = new(new VrrpSettings());
        machine.Ready(default);
        machine.Start(default);
        PeerAddress own = Wire.Ip("10.77.0.2");
        PeerAddress other = Wire.Ip("10.77.0.1");
        int good = 0;
        long allocated = 0;
        for (int i = 0; i < 2_000; i++)
        {
            if (i == 1_000) allocated = GC.GetAllocatedBytesForCurrentThread();
            TimeSpan now = TimeSpan.FromSeconds(i);
            if (VrrpReader.Read(writer.Write((byte)(i % 255), Wire.Utc), Wire.From4, rules, Wire.Utc, out VrrpAdvertisement advert) == ReceiveFault.None) good++;
            machine.Received(advert, other, own, now, now);
            machine.DeadlineReached(now);
        }

        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.Equal((2_000, 0L), (good, allocated));
    }
}
