using System.Text;

namespace Lb;

/// <summary>What hash policies and persistence go by: some bytes (a cookie, a header, a user's id) and their 64-bit hash, computed once a request.</summary>
public readonly struct AffinityKey : IEquatable<AffinityKey>
{
    private AffinityKey(ReadOnlyMemory<byte> bytes, ulong hash)
    {
        Bytes = bytes;
        Hash = hash;
        HasValue = true;
    }

    /// <summary>False in the default value: there is no key. An empty text is a key.</summary>
    public bool HasValue { get; }

    /// <summary>The key's bytes; not copied.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>XXH64 of <see cref="Bytes"/> with seed 0: the same on every node and in every version.</summary>
    public ulong Hash { get; }

    /// <summary>Makes a key from bytes, which must not change while it is in use.</summary>
    /// <param name="bytes">The bytes.</param>
    public static AffinityKey From(ReadOnlyMemory<byte> bytes) => new(bytes, XxHash64.Hash(bytes.Span));

    /// <summary>Makes a key from a text's UTF-8 bytes. Allocates.</summary>
    /// <param name="text">The text.</param>
    public static AffinityKey From(string text) => From(Encoding.UTF8.GetBytes(text));

    /// <summary>Same bytes.</summary>
    public bool Equals(AffinityKey other) => HasValue == other.HasValue && Hash == other.Hash && Bytes.Span.SequenceEqual(other.Bytes.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is AffinityKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Hash.GetHashCode();

    /// <summary>Same bytes.</summary>
    public static bool operator ==(AffinityKey left, AffinityKey right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(AffinityKey left, AffinityKey right) => !left.Equals(right);
}
