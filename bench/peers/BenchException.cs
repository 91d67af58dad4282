namespace Lb.Peers;

/// <summary>The benchmark can't run or go on; the message tells the user why and what to do.</summary>
internal sealed class BenchException(string message) : Exception(message);
