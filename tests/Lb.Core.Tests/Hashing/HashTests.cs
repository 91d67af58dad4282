using System.Text;

namespace Lb.Core.Tests.Hashing;

public sealed class HashTests
{
    [Theory]
    [InlineData("", 0ul, 0xEF46DB3751D8E999ul)]
    [InlineData("a", 0ul, 0xD24EC4F1A98C6E5Bul)]
    [InlineData("abc", 0ul, 0x44BC2CF5AD770999ul)]
    [InlineData("Nobody inspects the spammish repetition", 0ul, 0xFBCEA83C8A378BF1ul)]
    public void XxHash64_gives_the_published_values(string text, ulong seed, ulong hash)
    {
        Assert.Equal(hash, XxHash64.Hash(Encoding.UTF8.GetBytes(text), seed));
    }

    // xxHash's own sanity buffer (tests/sanity_test.c): byte = generator >> 56, generator *= PRIME64, from PRIME32.
    [Theory]
    [InlineData(0, 0ul, 0xEF46DB3751D8E999ul)]
    [InlineData(0, 2654435761ul, 0xAC75FDA2929B17EFul)]
    [InlineData(1, 0ul, 0xE934A84ADB052768ul)]
    [InlineData(1, 2654435761ul, 0x5014607643A9B4C3ul)]
    [InlineData(4, 0ul, 0x9136A0DCA57457EEul)]
    [InlineData(14, 0ul, 0x8282DCC4994E35C8ul)]
    [InlineData(14, 2654435761ul, 0xC3BD6BF63DEB6DF0ul)]
    [InlineData(222, 0ul, 0xB641AE8CB691C174ul)]
    [InlineData(222, 2654435761ul, 0x20CB8AB7AE10C14Aul)]
    public void XxHash64_passes_the_reference_sanity_checks(int length, ulong seed, ulong hash)
    {
        byte[] buffer = new byte[length];
        ulong generator = 2654435761;
        for (int i = 0; i < length; i++)
        {
            buffer[i] = (byte)(generator >> 56);
            generator = unchecked(generator * 11400714785074694797);
        }

        Assert.Equal(hash, XxHash64.Hash(buffer, seed));
    }

    // Envoy's test/common/common/hash_test.cc, and std::hash<std::string> of GNU's C++ library 12 on x86-64.
    [Theory]
    [InlineData("foo", 9631199822919835226ul)]
    [InlineData("bar", 11474628671133349555ul)]
    [InlineData("foo\nbar", 16306510975912980159ul)]
    [InlineData("lyft", 12847078931730529320ul)]
    [InlineData("", 6142509188972423790ul)]
    [InlineData("1234567", 7888703982793837558ul)]
    [InlineData("12345678", 10113836418918046885ul)]
    [InlineData("123456789", 12315982496267331008ul)]
    [InlineData("127.0.0.1:90_0", 5656417760668758976ul)]
    [InlineData("The quick brown fox jumps over the lazy dog", 15910076551593770101ul)]
    public void Murmur2_gives_the_values_of_the_standard_library(string text, ulong hash)
    {
        Assert.Equal(hash, Murmur2.Hash(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void An_affinity_key_is_its_bytes_and_their_hash()
    {
        AffinityKey key = AffinityKey.From("abc");
        Assert.True(key.HasValue);
        Assert.Equal(0x44BC2CF5AD770999ul, key.Hash);
        Assert.Equal("abc"u8.ToArray(), key.Bytes.ToArray());
        Assert.Equal(key, AffinityKey.From("abc"u8.ToArray()));
        Assert.True(key == AffinityKey.From("abc"));
        Assert.True(key != AffinityKey.From("abd"));
        Assert.Equal(key.GetHashCode(), AffinityKey.From("abc").GetHashCode());
        Assert.False(default(AffinityKey).HasValue);
        Assert.NotEqual(default, AffinityKey.From(""));
    }

    // Computed from the definition in HAProxy's intops.h with another implementation.
    [Theory]
    [InlineData(0u, 0xAB4ED927u)]
    [InlineData(1u, 0x348681B6u)]
    [InlineData(2u, 0xE267B84Cu)]
    [InlineData(0x7F000001u, 0x8A1B584Bu)]
    [InlineData(0xC0000201u, 0x3F69EB3Du)]
    [InlineData(0xFFFFFFFFu, 0x7E64C182u)]
    public void Full_avalanche_is_that_of_HAProxy(uint value, uint mixed)
    {
        Assert.Equal(mixed, FullAvalanche.Mix(value));
    }

    [Fact]
    public void Full_avalanche_is_a_permutation_as_far_as_we_look()
    {
        HashSet<uint> seen = [];
        for (uint n = 0; n < 100_000; n++) Assert.True(seen.Add(FullAvalanche.Mix(n * 65_537)));
    }
}
